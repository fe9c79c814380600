import { setTimeout as sleep } from "node:timers/promises";
import { BatchStatus } from "@heddle/proto/heddle/execution/v1/batch_pb.js";
import type { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { RpcClient } from "@heddle/rpc";
import type { Database } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import { batchConcurrency, batchErrorRateFrom, batchPageSize, batchRateDefault } from "../domain/limits.ts";
import {
  type BatchRow,
  changeStatus,
  claimTargets,
  findBatch,
  listPending,
  listRunning,
  type Outcome,
  recordOutcomes,
} from "../store/batches.ts";
import { applyTo, needOf } from "./operations.ts";
import { toBatch, toFilter } from "./to-proto.ts";

export interface BatchRunnerOptions {
  database: Database;
  /** Asks the owner of each execution, wherever it is. */
  executions: RpcClient<typeof ExecutionService>;
  ownedPartitions(): number[];
  /** Between two looks for batches that run. */
  intervalMs: number;
  logger: Logger;
}

/**
 * Works on the batches of this process's partitions. All that it knows is in the database: whoever has the partition goes
 * on where the one before stopped, tries again what had no outcome, and counts each target once.
 */
export interface BatchRunner {
  start(): void;
  /** There may be something to do. */
  wake(): void;
  stop(): Promise<void>;
}

export function createBatchRunner(options: BatchRunnerOptions): BatchRunner {
  const { database, executions, logger } = options;
  const stopped = new AbortController();
  const working = new Map<string, Promise<void>>();
  let woken = new AbortController();
  let looking: Promise<void> | undefined;

  const pause = async (ms: number, signal: AbortSignal = stopped.signal): Promise<void> => {
    if (ms > 0) await sleep(ms, undefined, { ref: false, signal }).catch(() => undefined);
  };

  /** @returns false when there is nothing more to do */
  async function step(id: string): Promise<boolean> {
    const row = await findBatch(database, id);
    if (row === undefined || row.status !== BatchStatus.RUNNING) return false;
    // Its partition has moved while it was worked on: its pace is kept by one process.
    if (!options.ownedPartitions().includes(row.partition)) return false;
    const began = performance.now();
    const { operation, pace, filter, namespace } = toBatch(row);
    const kind = operation?.operation ?? { case: undefined };
    const rate = pace?.ratePerSecond || batchRateDefault;
    const left = row.canary_passed ? Infinity : (pace?.canary ?? 0) - triedOf(row);
    let targets = await listPending(database, id);
    if (targets.length === 0) {
      const limit = Math.min(batchPageSize, rate, left);
      const target = { filter: toFilter(namespace, filter), need: needOf(id, kind) };
      targets = limit > 0 ? await claimTargets(database, id, target, limit) : [];
    }
    if (targets.length === 0) return await settle(row, pace?.canary ?? 0, left);
    const outcomes = await applyAll(targets, (executionId) =>
      applyTo(executions, { id, namespace }, kind, executionId),
    );
    const after = await recordOutcomes(database, id, outcomes);
    if (after === undefined || (await stopIfBad(after, pace?.maxErrorPercent ?? 0, left - targets.length <= 0)))
      return false;
    if (outcomes.length < targets.length) await pause(options.intervalMs);
    await pause((1_000 * targets.length) / rate - (performance.now() - began));
    return true;
  }

  async function settle(row: BatchRow, canary: number, left: number): Promise<boolean> {
    const from = [BatchStatus.RUNNING];
    if (left <= 0) {
      const reason = `the canary of ${canary} is over; look at it, then resume or cancel`;
      await changeStatus(database, row.batch_id, { from, to: BatchStatus.PAUSED, reason });
      return false;
    }
    // What the owner before has claimed meanwhile, and may have died with, is tried again first.
    const change = { from, to: BatchStatus.COMPLETED, reason: "", ifSettled: true };
    return !(await changeStatus(database, row.batch_id, change));
  }

  async function stopIfBad(row: BatchRow, maxPercent: number, isCanaryOver: boolean): Promise<boolean> {
    const tried = triedOf(row);
    if (maxPercent === 0 || (tried < batchErrorRateFrom && !isCanaryOver)) return false;
    const percent = (100 * Number(row.failed)) / tried;
    if (percent <= maxPercent) return false;
    const reason = `${row.failed} of ${tried} have failed, more than ${maxPercent}%`;
    await changeStatus(database, row.batch_id, { from: [BatchStatus.RUNNING], to: BatchStatus.STOPPED, reason });
    return true;
  }

  /** Some at a time. Those that nobody could be asked for have no outcome, and stay pending. */
  async function applyAll(targets: readonly string[], apply: (id: string) => Promise<Outcome>): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    const queue = targets.values();
    const work = async (): Promise<void> => {
      for (const executionId of queue) {
        if (stopped.signal.aborted) return;
        try {
          outcomes.push(await apply(executionId));
        } catch (error) {
          logger.debug({ err: error, executionId }, "a target of a batch could not be reached");
        }
      }
    };
    await Promise.all(Array.from({ length: batchConcurrency }, work));
    return outcomes;
  }

  async function run(id: string): Promise<void> {
    try {
      while (!stopped.signal.aborted && (await step(id)));
    } catch (error) {
      logger.warn({ err: error, batchId: id }, "a batch could not go on; tried again with the next look");
    } finally {
      working.delete(id);
    }
  }

  async function look(): Promise<void> {
    while (!stopped.signal.aborted) {
      woken = new AbortController();
      try {
        for (const id of await listRunning(database, options.ownedPartitions())) {
          if (!working.has(id)) working.set(id, run(id));
        }
      } catch (error) {
        logger.warn({ err: error }, "running batches could not be looked for");
      }
      await pause(options.intervalMs, AbortSignal.any([stopped.signal, woken.signal]));
    }
  }

  return {
    start() {
      looking ??= look();
    },
    wake: () => woken.abort(),
    async stop() {
      stopped.abort();
      await looking;
      await Promise.all(working.values());
    },
  };
}

function triedOf({ succeeded, failed, skipped }: BatchRow): number {
  return Number(succeeded) + Number(failed) + Number(skipped);
}
