import { createConnectTransport, createGrpcTransport, type RpcLimits, type RpcTransport } from "@heddle/rpc";

/** gRPC for addresses of the own network, as it needs the least CPU; the Connect protocol where TLS is asked for. */
export function transportTo(address: string, limits: Partial<RpcLimits> = {}): RpcTransport {
  return address.startsWith("https://")
    ? createConnectTransport(address, { limits })
    : createGrpcTransport(address, { limits });
}
