import { PartitionElsewhereError } from "@heddle/errors";
import { createPauses } from "@heddle/journal-service";
import type { Logger } from "@heddle/telemetry";
import { retryPauseMs } from "./limits.ts";

/** Calls to other services that nobody waits for and that must succeed: repeated with growing pauses. */
export interface Deliveries {
  /**
   * One at a time for each name; a name that is under way is not begun again. Repeats after every failure but one: when one's own
   * runtime no longer has the partition (`atHome`), whoever owns it now derives the call anew.
   */
  repeat(name: string, call: () => Promise<void>): void;
  /** What has not succeeded is left: whoever owns the partition next derives it again. */
  stop(): void;
}

export function createDeliveries(logger: Logger): Deliveries {
  const underWay = new Set<string>();
  const pauses = createPauses();
  let stopped = false;

  const run = async (name: string, call: () => Promise<void>): Promise<void> => {
    for (let pauseMs: number = retryPauseMs.first; !stopped; pauseMs = Math.min(pauseMs * 2, retryPauseMs.longest)) {
      try {
        return await call();
      } catch (error) {
        if (error instanceof PartitionElsewhereError) return;
        logger.warn({ err: error, delivery: name, pauseMs }, "a delivery has not succeeded yet");
      }
      await pauses.pause(pauseMs);
    }
  };

  return {
    repeat(name, call) {
      if (stopped || underWay.has(name)) return;
      underWay.add(name);
      void run(name, call).finally(() => underWay.delete(name));
    },
    stop() {
      stopped = true;
      pauses.end();
    },
  };
}
