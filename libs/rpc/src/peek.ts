import type { Socket } from "node:net";

/** The first bytes of every HTTP/2 connection ("PRI * HTTP/2.0"); no HTTP/1.1 method begins like that. */
const HTTP2_PREFACE_START = "PRI";
/** The first byte of every TLS connection: a record of the handshake. */
const TLS_HANDSHAKE = 0x16;

export type Protocol = "http1" | "http2" | "tls";

/**
 * Tells TLS, HTTP/2 and HTTP/1.1 from each other by the first three bytes of a connection, which are put back for the server
 * that takes it. A client that sends nothing for `timeoutMs` is disconnected.
 */
export function peekProtocol(socket: Socket, timeoutMs: number, take: (protocol: Protocol) => void): void {
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  const forget = () => {
    clearTimeout(timer);
    socket.off("readable", look);
    socket.off("error", giveUp);
    socket.off("end", giveUp);
    socket.off("close", forget);
  };
  function giveUp() {
    forget();
    socket.destroy();
  }
  function look() {
    const head = socket.read(HTTP2_PREFACE_START.length) as Buffer | null;
    if (head === null) return;
    forget();
    socket.unshift(head);
    take(protocolOf(head));
  }
  socket.on("readable", look);
  socket.on("error", giveUp);
  socket.on("end", giveUp);
  socket.on("close", forget);
}

function protocolOf(head: Buffer): Protocol {
  if (head[0] === TLS_HANDSHAKE) return "tls";
  return head.toString("latin1") === HTTP2_PREFACE_START ? "http2" : "http1";
}
