import type { DescService } from "@bufbuild/protobuf";
import { createDialer, createGrpcTransport, type Dial, type RpcLimits, type RpcTransport } from "@heddle/rpc";
import type { Closers } from "./closers.ts";
import type { ProcessTls } from "./open-tls.ts";

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

export function createOutbound(
  limits: Partial<RpcLimits>,
  tls: Pick<ProcessTls, "services" | "replicas">,
  closers: Closers,
): Outbound {
  const dialer = createDialer({ limits, tls: tls.replicas });
  closers.add(() => dialer.close());
  return {
    connect(addresses, services) {
      const transport = createGrpcTransport(addresses.join(","), { services, limits, tls: tls.services });
      closers.add(() => transport.close());
      return transport;
    },
    dial: dialer.dial,
  };
}
