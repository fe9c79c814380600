import { createConnectTransport } from "./connect-transport.ts";
import { createGrpcTransport } from "./grpc-transport.ts";
import type { RpcLimits } from "./limits.ts";
import { openCertificates } from "./tls/certificates.ts";
import { type ClientTls, isTlsAddress } from "./tls/client-tls.ts";
import type { RpcTransport } from "./transport.ts";

/** How a program outside of the suite speaks TLS with an address of `https://`. Files are PEM, and read again when they change. */
export interface TlsOptions {
  /** Authorities of the server. Default: the public ones that Node knows. */
  caFile?: string | undefined;
  /** The own certificate, for servers that ask for one. */
  certFile?: string | undefined;
  /** Its key. */
  keyFile?: string | undefined;
  /** The name that the server's certificate must have, when it is not that of the address. */
  serverName?: string | undefined;
}

export interface EdgeTransportOptions {
  tls?: TlsOptions | ClientTls;
  limits?: Partial<RpcLimits>;
}

/**
 * The way to Heddle for clients, workers and tools: gRPC for addresses of the own network, as it needs the least CPU: those without TLS, and those with an authority of one's
 * own. The Connect protocol for others, where proxies may stand between.
 */
export function createEdgeTransport(
  address: string,
  { tls = {}, limits = {} }: EdgeTransportOptions = {},
): RpcTransport {
  if (!isTlsAddress(address)) return createGrpcTransport(address, { limits });
  const client = openClientTls(tls);
  const isOwn = client.certificates?.current.ca !== undefined;
  const transport = (isOwn ? createGrpcTransport : createConnectTransport)(address, { limits, tls: client });
  return {
    ...transport,
    close() {
      transport.close();
      client.close();
    },
  };
}

function openClientTls(tls: TlsOptions | ClientTls): ClientTls & { close(): void } {
  if ("certificates" in tls) return { ...tls, close: () => undefined };
  const { serverName, caFile, certFile, keyFile } = tls as TlsOptions;
  const certificates = openCertificates({ caFile, certFile, keyFile });
  return { certificates, serverName, close: () => certificates.close() };
}
