import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { Logger } from "@heddle/telemetry";
import type { RpcLimits } from "../limits.ts";
import type { Certificates } from "./certificates.ts";

/** What a server with TLS does with a connection without it, and with one whose client has no certificate although it must. */
export type Cleartext =
  /**
   * Health, `/healthz`, `/livez` and `/metrics` are answered, everything else is refused in words: kubelets and Prometheus
   * have no certificate.
   */
  | "probes"
  /** It is closed. */
  | "none"
  /** As `probes`, but without TLS everything is answered: for the time in which callers change over to it. */
  | "all";

export interface ServerTls {
  /** With the own certificate and its key; with `clientCa`, callers must have a certificate of that too. Stays the caller's. */
  certificates: Certificates;
  /** Default `probes`. */
  cleartext?: Cleartext;
}

export interface TlsLayer {
  /** Takes a connection that has begun to speak TLS. */
  take(socket: Socket): void;
  /** Ends connections whose handshake is under way; the others are none of its matters any more. */
  close(): void;
}

/**
 * The handshakes of a server: `serve` gets each connection, and whether its client may call. New certificates hold for new
 * connections, those that are there go on.
 */
export function createTlsLayer(
  { certificates, cleartext }: ServerTls,
  limits: RpcLimits,
  logger: Logger,
  serve: (socket: TLSSocket, mayCall: boolean) => void,
): TlsLayer {
  // Chosen once: whether callers need a certificate is not a matter of rotation.
  const asksForCertificate = certificates.current.clientCa !== undefined;
  const server: Server = createServer({
    ...contextOf(certificates),
    ALPNProtocols: ["h2", "http/1.1"],
    handshakeTimeout: limits.handshakeTimeoutMs,
    requestCert: asksForCertificate,
    // A refused handshake often reaches the client as a connection that broke. An answer to its call says why.
    rejectUnauthorized: cleartext === "none",
  });
  // A socket by TLS does not name the one that it is on, but has its addresses.
  const handshaking = new Map<string, Socket>();
  server.on("secureConnection", (socket) => {
    handshaking.delete(addressesOf(socket));
    serve(socket, socket.authorized || !asksForCertificate);
  });
  server.on("tlsClientError", (error, socket) => {
    logger.debug({ err: error, peer: socket.remoteAddress }, "a connection by TLS is refused");
    socket.destroy();
  });
  const unfollow = certificates.onChange(() => server.setSecureContext(contextOf(certificates)));
  return {
    take(socket) {
      const addresses = addressesOf(socket);
      handshaking.set(addresses, socket);
      socket.once("close", () => {
        if (handshaking.get(addresses) === socket) handshaking.delete(addresses);
      });
      server.emit("connection", socket);
    },
    close() {
      unfollow();
      for (const socket of handshaking.values()) socket.destroy();
    },
  };
}

function addressesOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return [localAddress, localPort, remoteAddress, remotePort].join(" ");
}

function contextOf({ current: { cert, key, clientCa } }: Certificates) {
  return { cert, key, ca: clientCa };
}
