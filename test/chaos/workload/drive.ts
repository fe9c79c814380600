import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "@heddle/errors";
import { createClient, type Client } from "@heddle/sdk";
import type { Acknowledgement, CancelAnswer } from "../record/run-record.ts";
import { createPersistence, type Persistence, UnansweredError } from "./persist.ts";
import type { ExecutionPlan, Resolution } from "./plan-executions.ts";
import { EVENT, eventKey, SIGNAL, TELLER } from "./program.ts";

/** What the driver was told: it is the outside world's memory of the run. */
export interface DriveRecord {
  acknowledged: Acknowledgement[];
  cancels: Map<string, CancelAnswer>;
  /** Calls that were not answered in the end, and why. */
  unanswered: string[];
  /** Executions that it suspended. */
  suspended: Set<string>;
  errors: Persistence["errors"];
}

export interface DriveOptions {
  address: string;
  plans: readonly ExecutionPlan[];
  /** Starts are spread evenly over this time. */
  windowMs: number;
  /** File that every acknowledged start is appended to as soon as it is known. */
  journal: string;
}

/** One attempt of a call; what takes longer is repeated, as a caller with patience does. */
const CALL = { timeoutMs: 8_000 };
/** Between two looks for an incident. */
const INCIDENT_POLL_MS = 400;
/** Longer than any fault and what follows it. */
const ANSWER_BOUND_MS = 120_000;

/** Starts every execution of the plan, and signals, suspends and cancels as it says. Resolves when all is answered. */
export async function drive({ address, plans, windowMs, journal }: DriveOptions): Promise<DriveRecord> {
  const client = createClient({ address });
  // A second caller, with connections of its own, for starts that are sent twice.
  const twin = createClient({ address });
  const persistence = createPersistence(ANSWER_BOUND_MS);
  const record: DriveRecord = {
    acknowledged: [],
    cancels: new Map(),
    unanswered: [],
    suspended: new Set(),
    errors: persistence.errors,
  };
  const begun = performance.now();

  async function start(
    from: Client,
    { requestId, workflowId, n }: Pick<ExecutionPlan, "requestId" | "workflowId" | "n">,
    about: { key?: string } = {},
  ): Promise<string> {
    const request = { workflowId, input: { n, ...about }, requestId };
    const { executionId } = await insist(persistence, () => from.start(request, CALL));
    record.acknowledged.push({ requestId, executionId });
    appendFileSync(journal, `${JSON.stringify({ requestId, executionId })}\n`);
    return executionId;
  }

  async function carryOut(plan: ExecutionPlan, index: number): Promise<void> {
    await sleep(Math.max(0, begun + (index * windowMs) / plans.length - performance.now()));
    const [executionId] = await Promise.all([start(client, plan), ...(plan.isStartedTwice ? [start(twin, plan)] : [])]);
    await Promise.all([
      sendSignals(executionId, plan),
      tellEvents(executionId, plan),
      resolveIncidents(executionId, plan),
      suspendForAWhile(executionId, plan),
      cancel(executionId, plan),
    ]);
  }

  async function sendSignals(executionId: string, { signals }: ExecutionPlan): Promise<void> {
    for (const { value, requestId, isSentTwice } of signals) {
      const send = () => client.signal(executionId, SIGNAL, { value }, { ...CALL, requestId });
      for (let sent = 0; sent < (isSentTwice ? 2 : 1); sent++) {
        const answer = await persistence.call(send, ["EXECUTION_FINISHED"]);
        if (answer instanceof DomainError) return;
      }
    }
  }

  async function tellEvents(executionId: string, { events }: ExecutionPlan): Promise<void> {
    await Promise.all(
      events.map(async ({ value, requestId, by, isSentTwice }, index) => {
        const key = eventKey(executionId, index);
        const tell = async (from: Client): Promise<void> => {
          if (by === "execution") await start(from, { requestId, workflowId: TELLER, n: value }, { key });
          else await insist(persistence, () => from.emit(EVENT, { value }, { ...CALL, key, requestId }));
        };
        await Promise.all([tell(client), ...(isSentTwice ? [tell(twin)] : [])]);
      }),
    );
  }

  async function resolveIncidents(executionId: string, { resolutions }: ExecutionPlan): Promise<void> {
    for (const resolution of resolutions) if (!(await resolveIncident(executionId, resolution))) return;
  }

  /** Asks until the incident is there. Resolves with whether the execution may go on. */
  async function resolveIncident(executionId: string, { nodeId, action, value }: Resolution): Promise<boolean> {
    const answer =
      action === "complete"
        ? ({ action: "complete", output: { n: value } } as const)
        : ({ action: "retry", input: { n: value, by: 0, failures: 0 } } as const);
    const deadline = performance.now() + ANSWER_BOUND_MS;
    for (;;) {
      const resolve = () => client.resolveIncident(executionId, nodeId, answer, CALL);
      const resolved = await persistence.call(resolve, ["INCIDENT_NOT_OPEN", "EXECUTION_FINISHED"]);
      if (!(resolved instanceof DomainError)) return true;
      if (resolved.reason === "EXECUTION_FINISHED") return false;
      // It has not failed yet; or it is resolved, and the answer to that was lost.
      const { nodes } = await insist(persistence, () => client.get(executionId, CALL));
      if (nodes.find((node) => node.nodeId === nodeId)?.status === "completed") return true;
      if (performance.now() > deadline) throw new UnansweredError(`no incident at ${executionId}/${nodeId}`);
      await sleep(INCIDENT_POLL_MS);
    }
  }

  async function suspendForAWhile(executionId: string, { suspension }: ExecutionPlan): Promise<void> {
    if (suspension === undefined) return;
    await sleep(suspension.afterMs);
    const suspended = await persistence.call(() => client.suspend(executionId, "chaos", CALL), ["EXECUTION_FINISHED"]);
    if (suspended instanceof DomainError) return;
    record.suspended.add(executionId);
    await sleep(suspension.durationMs);
    await resume(executionId);
  }

  async function resume(executionId: string): Promise<void> {
    const settled = ["EXECUTION_FINISHED", "EXECUTION_NOT_SUSPENDED"];
    await persistence.call(() => client.resume(executionId, "chaos", CALL), settled);
  }

  async function cancel(executionId: string, { cancelAfterMs }: ExecutionPlan): Promise<void> {
    if (cancelAfterMs === undefined) return;
    await sleep(cancelAfterMs);
    const answer = await persistence.call(() => client.cancel(executionId, "chaos", CALL), ["EXECUTION_FINISHED"]);
    record.cancels.set(executionId, answer instanceof DomainError ? "finished" : "canceled");
  }

  try {
    await Promise.all(
      plans.map((plan, index) =>
        carryOut(plan, index).catch((error: unknown) => {
          if (!(error instanceof UnansweredError)) throw error;
          record.unanswered.push(`${plan.requestId} (${plan.workflowId}): ${error.message}`);
        }),
      ),
    );
  } finally {
    client.close();
    twin.close();
  }
  return record;
}

/** For calls of which no refusal is right. */
async function insist<T>(persistence: Persistence, make: () => Promise<T>): Promise<T> {
  const answer = await persistence.call(make);
  if (answer instanceof DomainError) throw answer;
  return answer;
}
