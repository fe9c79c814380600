import { setTimeout as sleep } from "node:timers/promises";
import { type Handlers, type TaskContext, TaskError } from "@heddle/sdk";
import type { Effect } from "../record/effects.ts";
import { PLANNED_FAILURE } from "./program.ts";

/** What the tools of programs get; which fields are there depends on the tool. */
interface Input {
  n: number;
  by: number;
  durationMs: number;
  failures: number;
}

/** More than what stays inside an event (64 KiB). */
const BULK_CHARS = 70_000;

/** Far longer than the timeout of the task. */
const FOR_EVER_MS = 600_000;

/**
 * The tools of the programs. What one does follows from its input and the attempt's number alone, and each says what it did
 * to `log` before it answers.
 */
export function createHandlers(worker: string, log: (effect: Effect) => void): Handlers {
  let running = 0;

  function tool(compute: (input: Input, context: TaskContext) => Promise<number> | number, pad = ""): Handlers[string] {
    return async (input: Input, context: TaskContext) => {
      const delivery = { worker, key: context.idempotencyKey, token: tokenOf(context), n: input.n };
      running += 1;
      try {
        log({ phase: "begin", at: Date.now(), ...delivery, running });
        const result = await compute(input, context);
        log({ phase: "end", at: Date.now(), ...delivery, result });
        return pad === "" ? { n: result } : { n: result, pad };
      } catch (error) {
        if (error instanceof TaskError) log({ phase: "fail", at: Date.now(), ...delivery, failureType: error.type });
        throw error;
      } finally {
        running -= 1;
      }
    };
  }

  return {
    add: tool(({ n, by }) => n + by),
    slow: tool(async ({ n, by, durationMs }, { signal }) => {
      await sleep(durationMs, undefined, { signal });
      return n + by;
    }),
    flaky: tool(({ n, by, failures }, { attempt }) => {
      if (attempt <= failures) throw new TaskError("flaky", `attempt ${attempt} of ${failures} that fail`);
      return n + by;
    }),
    hang: tool(async ({ n, by }, { attempt, signal }) => {
      if (attempt === 1) await sleep(FOR_EVER_MS, undefined, { signal });
      return n + by;
    }),
    bulk: tool(({ n, by }) => n + by, "x".repeat(BULK_CHARS)),
    fail: tool(() => {
      throw new TaskError(PLANNED_FAILURE, "as the program says", { retryable: false });
    }),
  };
}

/** Not for handlers in general, which have no use for it: the recorder wants to see which delivery this was. */
function tokenOf(context: TaskContext): string {
  return String((context as TaskContext & { fencingToken: bigint }).fencingToken);
}
