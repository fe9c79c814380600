import type { LiveExecution, ScheduledTask, StoredExecution, StoredMachine, SuiteFacts } from "../facts.ts";
import { CHECKS, runCheck } from "./index.ts";

// Suites for the tests of the checks: everything is as it must be, but for what a test says.

export const NOW = 1_800_000_000_000;
const id = (number: number): string => `01a1fde4-0000-7000-8000-${String(number).padStart(10, "0")}00`;
export const [A, B, C] = [id(1), id(2), id(3)] as [string, string, string];
export const TASK = `${A}/charge/1`;

export function stored(executionId: string, fields: Partial<StoredExecution> = {}): StoredExecution {
  return {
    executionId,
    namespace: "default",
    ended: false,
    lastSeq: 5,
    requestId: "",
    history: [{ first: 1, last: 5 }],
    replay: { reachedSeq: 5, difference: "" },
    activeNodes: [],
    ...fields,
  };
}

export function live(executionId: string, fields: Partial<LiveExecution> = {}): LiveExecution {
  return {
    executionId,
    namespace: "default",
    requestId: "",
    lastSeq: 5,
    ended: false,
    suspended: false,
    quarantined: false,
    waits: [{ nodeId: "answer", signal: "go" }],
    replay: { reachedSeq: 5, difference: "" },
    ...fields,
  };
}

export function machine(machineId: string, fields: Partial<StoredMachine> = {}): StoredMachine {
  return {
    machineId,
    namespace: "default",
    ended: false,
    suspended: false,
    lastSeq: 5,
    history: [{ first: 1, last: 5 }],
    replay: { reachedSeq: 5, difference: "" },
    owed: [],
    running: [],
    ...fields,
  };
}

export interface Parts {
  stored?: StoredExecution[];
  live?: LiveExecution[];
  tasks?: ScheduledTask[];
  machines?: StoredMachine[];
}

export function suite(parts: Parts, rest: Partial<SuiteFacts> = {}): SuiteFacts {
  return {
    now: NOW,
    inspectedPartitions: new Set([0]),
    tasksComplete: true,
    stored: new Map((parts.stored ?? []).map((each) => [each.executionId, each])),
    live: new Map((parts.live ?? []).map((each) => [each.executionId, each])),
    machines: new Map((parts.machines ?? []).map((each) => [each.machineId, each])),
    unprojected: new Map(),
    tasks: Map.groupBy(parts.tasks ?? [], ({ taskId }) => taskId),
    workers: [],
    leases: [],
    progress: [],
    parked: [],
    ...rest,
  };
}

/** An execution in memory and as it is stored. */
export function both(executionId: string, fields: Partial<LiveExecution> = {}): Parts {
  const { parent, requestId = "" } = fields;
  return { stored: [stored(executionId, { requestId, ...(parent && { parent }) })], live: [live(executionId, fields)] };
}

/** Everything that all checks find, as `check: id or message`. */
export function findAll(facts: SuiteFacts): string[] {
  return CHECKS.flatMap((check) =>
    runCheck(check, facts, { overdueMs: 30_000 }).findings.map(
      ({ executionId, machineId, message }) => `${check.id}: ${executionId ?? machineId ?? ""} ${message}`,
    ),
  );
}
