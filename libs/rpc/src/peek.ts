import type { Socket } from "node:net";

/** The first bytes of every HTTP/2 connection ("PRI * HTTP/2.0"); no HTTP/1.1 method begins like that. */
const HTTP2_PREFACE_START = "PRI";

/**
 * Tells HTTP/2 from HTTP/1.1 on a cleartext connection by its first three bytes, which are put back for the server that
 * takes it. A client that sends nothing for `timeoutMs` is disconnected.
 */
export function peekProtocol(socket: Socket, timeoutMs: number, take: (protocol: "http1" | "http2") => void): void {
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
    take(head.toString("latin1") === HTTP2_PREFACE_START ? "http2" : "http1");
  }
  socket.on("readable", look);
  socket.on("error", giveUp);
  socket.on("end", giveUp);
  socket.on("close", forget);
}
