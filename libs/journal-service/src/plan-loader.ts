import { DomainError } from "@heddle/errors";
import type { Logger } from "@heddle/telemetry";
import { maxPlansToLoad, planLoadPauseMs } from "./limits.ts";
import type { PlanKey } from "./plans.ts";

/** Loads plans before anybody asks for them. */
export interface PlanLoader {
  /** In the background; goes on trying while the definition service is away. */
  load(key: PlanKey): void;
  stop(): Promise<void>;
}

export interface PlanLoaderOptions {
  /** Brings a version into the service's own copy. */
  resolve(key: PlanKey): Promise<unknown>;
  logger: Logger;
}

export function createPlanLoader({ resolve, logger }: PlanLoaderOptions): PlanLoader {
  /** By definition: of several versions only the last one is of use. */
  const wanted = new Map<string, PlanKey>();
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const run = async (): Promise<void> => {
    for (const [name, key] of wanted) {
      if (stopped) return;
      try {
        await resolve(key);
      } catch (error) {
        if (error instanceof DomainError && error.kind === "unavailable") {
          timer = setTimeout(wake, planLoadPauseMs);
          return;
        }
        // Of another type, or deleted by now: nothing that this service will run.
        logger.debug({ err: error, ...key }, "a plan is not loaded ahead");
      }
      if (wanted.get(name) === key) wanted.delete(name);
    }
  };

  function wake(): void {
    timer = undefined;
    running ??= run().finally(() => {
      running = undefined;
      if (wanted.size > 0 && timer === undefined && !stopped) wake();
    });
  }

  return {
    load(key) {
      const name = `${key.namespace}/${key.workflowId}`;
      wanted.delete(name);
      wanted.set(name, { namespace: key.namespace, workflowId: key.workflowId, version: key.version });
      for (const oldest of wanted.keys()) {
        if (wanted.size <= maxPlansToLoad) break;
        wanted.delete(oldest);
      }
      if (timer === undefined) wake();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
