import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "@heddle/errors";
import type { Logger } from "@heddle/telemetry";
import { eventPatienceMs, retryPauseMs } from "../domain/limits.ts";

/** Whether the same call may succeed later: somebody or something is away, or has too much to do. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof DomainError)) return false;
  const { kind } = error;
  return kind === "unavailable" || kind === "deadline_exceeded" || kind === "resource_exhausted";
}

/**
 * Repeats what fails for a reason that passes, with growing pauses. A bus gives up a message after some deliveries, which take seconds,
 * as it cannot tell a message that nobody can handle from an outage; here that is known, and an outage must cost no event.
 * @throws what the call throws that will not pass, what it throws when `signal` is aborted, or after 10 minutes
 */
export async function withPatience(
  call: () => Promise<unknown>,
  { signal, logger, event }: { signal: AbortSignal; logger: Logger; event: string },
): Promise<void> {
  const until = performance.now() + eventPatienceMs;
  for (let pauseMs: number = retryPauseMs.first; ; pauseMs = Math.min(pauseMs * 2, retryPauseMs.longest)) {
    try {
      await call();
      return;
    } catch (error) {
      if (!mayPass(error) || signal.aborted || performance.now() > until) throw error;
      logger.warn({ err: error, event, pauseMs }, "an event could not be told yet to all that wait for it");
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
