import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type ExecutionEvent, ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { Execution } from "@heddle/sdk";
import { programKey, type RunRecord } from "../record/run-record.ts";
import { UNATTENDED } from "../workload/predict.ts";
import type { Program } from "../workload/program.ts";

type EventInit = NonNullable<NonNullable<Parameters<typeof create<typeof ExecutionEventSchema>>[1]>["event"]>;

export const PARENT = "parent";
export const CHILD = "child";
const BEGUN_AT = 1_000_000;

/** A record in which tests change what they like. */
export type SampleRecord = {
  -readonly [K in keyof RunRecord]: RunRecord[K] extends ReadonlyMap<infer Key, infer Value>
    ? Map<Key, Value extends readonly (infer Item)[] ? Item[] : Value>
    : RunRecord[K] extends readonly (infer Item)[]
      ? Item[]
      : RunRecord[K];
} & { published: NonNullable<RunRecord["published"]>[number][] };

/**
 * A run in which all went well: a parent of which a task fails once, that naps and has a child. Its events are 10 ms apart.
 */
export function sampleRecord(): SampleRecord {
  const child: Program = { workflowId: "child", salt: 10, stages: [] };
  const parent: Program = {
    workflowId: "parent",
    salt: 1,
    stages: [
      { kind: "flaky", by: 5, failures: 1 },
      { kind: "nap", durationMs: 20 },
      { kind: "child", workflowId: "child" },
    ],
  };
  const histories = new Map([
    [PARENT, history(PARENT, parentEvents())],
    [CHILD, history(CHILD, childEvents())],
  ]);
  const executions = new Map([
    [PARENT, execution(PARENT, { workflowId: "parent", requestId: "r-0", input: { n: 2 }, output: 18, lastSeq: 15 })],
    [
      CHILD,
      execution(CHILD, {
        workflowId: "child",
        input: { n: 8 },
        output: 18,
        lastSeq: 4,
        parent: { executionId: PARENT, nodeId: "s2" },
      }),
    ],
  ]);
  const plan = { requestId: "r-0", workflowId: "parent", n: 2, isStartedTwice: false, ...UNATTENDED };
  return {
    programs: new Map([
      [programKey("parent", 1), parent],
      [programKey("child", 1), child],
    ]),
    plans: [plan],
    acknowledged: [{ requestId: "r-0", executionId: PARENT }],
    cancels: new Map(),
    unanswered: [],
    listed: [...executions.values()],
    executions,
    histories,
    effects: [
      ...effect(`${PARENT}/start/1`, 101, { result: 3 }),
      ...effect(`${PARENT}/s0/1`, 102, { failureType: "flaky" }),
      ...effect(`${PARENT}/s0/2`, 103, { result: 8 }),
      ...effect(`${CHILD}/start/1`, 104, { result: 18 }),
      { phase: "stale", at: BEGUN_AT, worker: "zombie", key: `${CHILD}/start/1`, token: "100", n: 0, result: -1 },
    ],
    slots: 2,
    poison: {
      planted: ["p"],
      groups: ["g", "h"],
      setAside: ["g", "h"].map((group) => ({ group, topic: "t", key: "p", error: "cannot be read" })),
    },
    published: [...histories.values()].flat().map((event) => ({
      id: `${event.executionId}/${event.seq}`,
      key: event.executionId,
      partition: 0,
      event,
    })),
    queues: [{ name: "add", waiting: 0, running: 0 }],
    workers: [{ workerId: "w", running: 0 }],
    doctor: [{ id: "gaps", looked: 2, findings: [] }],
  };
}

function parentEvents(): EventInit[] {
  return [
    { case: "executionStarted", value: { workflowId: "parent", version: 1, requestId: "r-0" } },
    { case: "taskScheduled", value: { nodeId: "start", attempt: 1 } },
    { case: "taskCompleted", value: { nodeId: "start", attempt: 1, worker: "w", output: json({ n: 3 }) } },
    { case: "taskScheduled", value: { nodeId: "s0", attempt: 1 } },
    failed("s0", 1, "flaky", timeOfSeq(6)),
    { case: "taskScheduled", value: { nodeId: "s0", attempt: 2 } },
    { case: "taskCompleted", value: { nodeId: "s0", attempt: 2, worker: "w", output: json({ n: 8 }) } },
    { case: "waitStarted", value: { nodeId: "s1-nap", dueAtMs: BigInt(timeOfSeq(9)) } },
    { case: "nodeCompleted", value: { nodeId: "s1-nap" } },
    { case: "nodeCompleted", value: { nodeId: "s1", output: json(8) } },
    { case: "executionSuspended", value: {} },
    { case: "executionResumed", value: {} },
    { case: "childStarted", value: { nodeId: "s2", childId: CHILD } },
    { case: "nodeCompleted", value: { nodeId: "s2", output: json(18) } },
    { case: "executionCompleted", value: { output: json(18) } },
  ];
}

function childEvents(): EventInit[] {
  return [
    { case: "executionStarted", value: { workflowId: "child", version: 1, parentExecutionId: PARENT } },
    { case: "taskScheduled", value: { nodeId: "start", attempt: 1 } },
    { case: "taskCompleted", value: { nodeId: "start", attempt: 1, worker: "w", output: json({ n: 18 }) } },
    { case: "executionCompleted", value: { output: json(18) } },
  ];
}

function json(value: unknown) {
  return { form: { case: "json" as const, value: JSON.stringify(value) } };
}

function failed(nodeId: string, attempt: number, type: string, retryAt: number): EventInit {
  return {
    case: "taskFailed",
    value: { nodeId, attempt, worker: "w", failure: { type }, retryAtMs: BigInt(retryAt) },
  };
}

export function timeOfSeq(seq: number): number {
  return BEGUN_AT + seq * 10;
}

/** The child's events come after the parent's that ask for it. */
function history(executionId: string, events: EventInit[]): ExecutionEvent[] {
  return events.map((event, index) => eventAt(executionId, index + 1, event));
}

export function eventAt(executionId: string, seq: number, event: EventInit): ExecutionEvent {
  const offset = executionId === CHILD ? 13 : 0;
  return create(ExecutionEventSchema, {
    executionId,
    seq: BigInt(seq),
    occurredAt: timestampFromMs(timeOfSeq(seq + offset)),
    event,
  });
}

function execution(executionId: string, fields: Partial<Execution>): Execution {
  return {
    executionId,
    namespace: "default",
    workflowId: "",
    version: 1,
    status: "completed",
    requestId: "",
    labels: {},
    workflowKey: "",
    searchAttributes: {},
    priority: 5,
    lastSeq: 0,
    openIncidents: 0,
    nodes: [],
    ...fields,
  };
}

function effect(key: string, token: number, end: { result?: number; failureType?: string }) {
  const base = { at: BEGUN_AT, worker: "w", key, token: String(token), n: 0 };
  return [
    { ...base, phase: "begin" as const, running: 1 },
    { ...base, phase: end.failureType === undefined ? ("end" as const) : ("fail" as const), ...end },
  ];
}
