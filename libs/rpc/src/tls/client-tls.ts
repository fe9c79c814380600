import { isIP, type Socket } from "node:net";
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { CallCredentials, ChannelCredentials, type experimental } from "@grpc/grpc-js";
import type { Certificates } from "./certificates.ts";

/** How a client speaks TLS, with addresses that begin with `https://`. Without any of it servers need a certificate that Node knows. */
export interface ClientTls {
  /** Stays the caller's: nobody else closes it. */
  certificates?: Certificates | undefined;
  /** The name that a server's certificate must have, when it is not the address's own: for addresses of single replicas. */
  serverName?: string | undefined;
}

export function isTlsAddress(address: string): boolean {
  return address.startsWith("https://");
}

/** For channels of grpc-js: every new connection is made with the certificates of that moment. */
export function grpcCredentials(address: string, tls?: ClientTls): ChannelCredentials {
  return isTlsAddress(address) ? new TlsCredentials(address, tls) : ChannelCredentials.createInsecure();
}

/** For Node's own HTTP/2 client, in the same way. */
export function connectByTls(url: URL, tls?: ClientTls): TLSSocket {
  const host = hostOf(url);
  return connect({ host, port: url.port === "" ? 443 : Number(url.port), ...connectionOptions([host], tls) });
}

/** Those of grpc-js keep the certificates that they were made with, and ask for addresses as if they were names. */
class TlsCredentials extends ChannelCredentials {
  readonly #hosts: readonly string[];
  readonly #tls: ClientTls | undefined;

  constructor(address: string, tls: ClientTls | undefined) {
    super();
    this.#hosts = address.split(",").map((one) => hostOf(new URL(one.trim())));
    this.#tls = tls;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return other === this;
  }

  override _createSecureConnector(
    _target: unknown,
    _options: unknown,
    callCredentials: CallCredentials = CallCredentials.createEmpty(),
  ): experimental.SecureConnector {
    return {
      connect: (socket) => this.#connect(socket),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => callCredentials,
      destroy: () => undefined,
    };
  }

  #connect(socket: Socket): Promise<experimental.SecureConnectResult> {
    return new Promise((resolve, reject) => {
      const closed = () => reject(new Error("the connection was closed during the TLS handshake"));
      const secure = connect({ socket, ...connectionOptions(this.#hosts, this.#tls) }, () => {
        secure.off("error", reject);
        secure.off("close", closed);
        resolve({ socket: secure, secure: true });
      });
      secure.once("error", reject);
      secure.once("close", closed);
    });
  }
}

/** A certificate is right when it has the wanted name, or that of one of the hosts, among which a channel takes turns. */
function connectionOptions(hosts: readonly string[], { certificates, serverName }: ClientTls = {}) {
  const { ca, cert, key } = certificates?.current ?? {};
  const names = serverName === undefined ? hosts : [serverName];
  const [asked = ""] = names;
  return {
    ca,
    cert,
    key,
    ALPNProtocols: ["h2"],
    // An address is no name that could be asked for.
    servername: isIP(asked) === 0 ? asked : "",
    checkServerIdentity(_host: string, certificate: PeerCertificate): Error | undefined {
      const errors = names.map((name) => checkServerIdentity(name, certificate));
      return errors.includes(undefined) ? undefined : errors[0];
    },
  };
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}
