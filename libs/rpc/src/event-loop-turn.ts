/**
 * Calls within one process complete in microtasks alone, so a busy loop of them would keep timers and sockets from ever
 * running. The function that this returns is asked before each call: within the first `maxMs` of an event-loop turn it
 * gives undefined, after that a promise that resolves in the next turn. Costs one clock reading per call.
 */
export function createTurnGuard(maxMs: number): () => Promise<void> | undefined {
  let turnStartedAtMs: number | undefined;
  return () => {
    const nowMs = performance.now();
    if (turnStartedAtMs === undefined) {
      turnStartedAtMs = nowMs;
      setImmediate(() => {
        turnStartedAtMs = undefined;
      });
      return undefined;
    }
    if (nowMs - turnStartedAtMs < maxMs) return undefined;
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  };
}
