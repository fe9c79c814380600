import type { DescService } from "@bufbuild/protobuf";
import { createGrpcTransport } from "./grpc-transport.ts";
import type { RpcLimits } from "./limits.ts";
import type { ClientTls } from "./tls/client-tls.ts";
import type { RpcTransport } from "./transport.ts";

/** Gives the transport to an address, `http://host:port` or `https://host:port`. The transport stays the dialer's: nobody else closes it. */
export type Dial = (address: string) => RpcTransport;

export interface DialerOptions {
  /** Their idempotent unary methods are repeated when no server could take them. */
  services?: readonly DescService[];
  limits?: Partial<RpcLimits>;
  tls?: ClientTls | undefined;
  /** Addresses that are kept; the one that was asked for longest ago is closed. Default 64. */
  maxAddresses?: number;
}

export interface Dialer {
  dial: Dial;
  close(): void;
}

/** Transports to processes whose addresses are learned at run time (replicas of a service): one for each, kept and reused. */
export function createDialer({ maxAddresses = 64, ...options }: DialerOptions = {}): Dialer {
  const transports = new Map<string, RpcTransport>();
  return {
    dial(address) {
      const transport = transports.get(address) ?? createGrpcTransport(address, options);
      transports.delete(address);
      transports.set(address, transport);
      for (const [oldest, unused] of transports) {
        if (transports.size <= maxAddresses) break;
        transports.delete(oldest);
        unused.close();
      }
      return transport;
    },
    close() {
      for (const transport of transports.values()) transport.close();
      transports.clear();
    },
  };
}
