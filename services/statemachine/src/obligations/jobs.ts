import { createPauses } from "@heddle/journal-service";
import type { Logger } from "@heddle/telemetry";
import { maxCallsAtOnce, retryPauseMs } from "../domain/limits.ts";

/** Things to be done outside, each repeated with growing pauses until it is done. */
export interface Jobs {
  /**
   * Runs `attempt` until it gives true: done, or no longer to be done. A name that is asked for again while its job is under
   * way gets one attempt more, because the job may have looked too early.
   */
  run(name: string, attempt: () => Promise<boolean>): void;
  has(name: string): boolean;
  stop(): void;
  readonly size: number;
}

export function createJobs(logger: Logger): Jobs {
  const jobs = new Map<string, { isAskedAgain: boolean }>();
  const pauses = createPauses();
  const queue: (() => void)[] = [];
  let running = 0;
  let stopped = false;

  const enter = async (): Promise<void> => {
    if (running >= maxCallsAtOnce) await new Promise<void>((resolve) => queue.push(resolve));
    else running += 1;
  };
  /** The place goes to whoever waits first. */
  const leave = (): void => {
    const next = queue.shift();
    if (next === undefined) running -= 1;
    else next();
  };

  const tryOnce = async (name: string, attempt: () => Promise<boolean>, pauseMs: number): Promise<boolean> => {
    await enter();
    try {
      return stopped || (await attempt());
    } catch (error) {
      logger.warn({ err: error, job: name, pauseMs }, "something that a machine asks of others cannot be done yet");
      return false;
    } finally {
      leave();
    }
  };

  const repeat = async (name: string, attempt: () => Promise<boolean>, job: { isAskedAgain: boolean }) => {
    let pauseMs: number = retryPauseMs.first;
    while (!stopped) {
      job.isAskedAgain = false;
      const isDone = await tryOnce(name, attempt, pauseMs);
      if (isDone && !job.isAskedAgain) break;
      if (isDone) continue;
      await pauses.pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, retryPauseMs.longest);
    }
    jobs.delete(name);
  };

  return {
    run(name, attempt) {
      if (stopped) return;
      const known = jobs.get(name);
      if (known !== undefined) {
        known.isAskedAgain = true;
        return;
      }
      const job = { isAskedAgain: false };
      jobs.set(name, job);
      void repeat(name, attempt, job);
    },
    has: (name) => jobs.has(name),
    stop() {
      stopped = true;
      pauses.end();
      for (const next of queue.splice(0)) next();
    },
    get size() {
      return jobs.size;
    },
  };
}
