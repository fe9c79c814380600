import type { DescService } from "@bufbuild/protobuf";
import { createDialer, createGrpcTransport, type Dial, type RpcLimits, type RpcTransport } from "@heddle/rpc";
import type { Closers } from "./closers.ts";

/** Ways to other processes; all are closed at the end of this one. */
export interface Outbound {
  /**
   * To the services at these addresses, which the caller's settings name. Connects at the first call, and again by itself.
   * Idempotent unary methods of `services` are repeated when no server could take them.
   */
  connect(addresses: readonly string[], services: readonly DescService[]): RpcTransport;
  /** To other replicas, whose addresses are learned at run time. */
  dial: Dial;
}

export function createOutbound(limits: Partial<RpcLimits>, closers: Closers): Outbound {
  const dialer = createDialer({ limits });
  closers.add(() => dialer.close());
  return {
    connect(addresses, services) {
      const transport = createGrpcTransport(addresses.join(","), { services, limits });
      closers.add(() => transport.close());
      return transport;
    },
    dial: dialer.dial,
  };
}
