import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@heddle/sdk";
import type { DriveRecord } from "./drive.ts";
import { createPersistence, UnansweredError } from "./persist.ts";
import type { ExecutionPlan } from "./plan-executions.ts";
import { UNATTENDED } from "./predict.ts";
import type { Program } from "./program.ts";

export interface SaturateOptions {
  address: string;
  program: Program;
  /** Executions under way at once. */
  inFlight: number;
  /** New ones are started for so long. */
  durationMs: number;
  run: string;
  /** Gets the plan of each execution that is started. */
  plans: ExecutionPlan[];
}

/** One call waits this long for the end of its execution, across outages. */
const END_BOUND_MS = 60_000;
const ANSWER_BOUND_MS = 120_000;

/** Keeps a number of executions under way, each end followed by the next start: as much load as the suite takes. */
export async function saturate(options: SaturateOptions): Promise<DriveRecord> {
  const { address, program, inFlight, durationMs, run, plans } = options;
  const client = createClient({ address });
  const persistence = createPersistence(ANSWER_BOUND_MS);
  const record: DriveRecord = {
    acknowledged: [],
    cancels: new Map(),
    unanswered: [],
    suspended: new Set(),
    errors: persistence.errors,
  };
  const until = performance.now() + durationMs;

  async function keepGoing(): Promise<void> {
    while (performance.now() < until) {
      const plan = {
        requestId: `${run}-${plans.length}`,
        workflowId: program.workflowId,
        n: plans.length % 1_000,
        isStartedTwice: false,
        ...UNATTENDED,
      };
      plans.push(plan);
      const { requestId, workflowId, n } = plan;
      const request = { requestId, workflowId, input: { n }, waitMs: END_BOUND_MS };
      try {
        const answer = await persistence.call(() => client.start(request, { timeoutMs: END_BOUND_MS }));
        if (answer instanceof Error) throw answer;
        record.acknowledged.push({ requestId, executionId: answer.executionId });
      } catch (error) {
        if (!(error instanceof UnansweredError)) throw error;
        record.unanswered.push(`${requestId}: ${error.message}`);
      }
    }
  }

  try {
    // Not all in the same turn: the first flush would be one of all of them, and so would each that follows.
    await Promise.all(
      Array.from({ length: inFlight }, async (_, index) => {
        await sleep(index);
        await keepGoing();
      }),
    );
  } finally {
    client.close();
  }
  return record;
}
