import type { ServerHttp2Session } from "node:http2";
import type { RpcLimits } from "./limits.ts";

/**
 * Pings every HTTP/2 connection at an interval and drops those that do not answer in time: a peer whose machine vanished
 * would otherwise hold its streams, and what they lease, for as long as TCP believes in it.
 */
export function keepSessionsAlive(sessions: ReadonlySet<ServerHttp2Session>, limits: RpcLimits): { stop(): void } {
  const timer = setInterval(() => {
    for (const session of sessions) ping(session, limits.keepaliveTimeoutMs);
  }, limits.keepaliveIntervalMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

function ping(session: ServerHttp2Session, timeoutMs: number): void {
  if (session.destroyed || session.connecting) return;
  const giveUp = setTimeout(() => session.destroy(), timeoutMs);
  giveUp.unref();
  const sent = session.ping(() => clearTimeout(giveUp));
  // False means that too many pings are unanswered already; the first of them decides.
  if (!sent) clearTimeout(giveUp);
}
