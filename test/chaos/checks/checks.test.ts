import type { ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { describe, expect, it } from "vitest";
import type { Effect } from "../record/effects.ts";
import { programKey } from "../record/run-record.ts";
import { mapOf, type ParentClose, type Program, racerOf, type Stage } from "../workload/program.ts";
import { CHECKS, runChecks } from "./checks.ts";
import { CHILD, eventAt, PARENT, sampleRecord, timeOfSeq, type SampleRecord } from "./sample-record.ts";

/** What would be wrong, how to do that to a record in which all is well, and the check that must see it. */
const PLANTED: readonly [what: string, check: string, plant: (record: SampleRecord) => void][] = [
  ["a wrong result", "results-right", (record) => change(record, PARENT, { output: 17 })],
  ["a failure that nobody planned", "results-right", (record) => change(record, PARENT, { status: "failed" })],
  ["a cancel that nobody asked for", "results-right", (record) => change(record, CHILD, { status: "canceled" })],
  ["a call without an answer", "calls-answered", (record) => record.unanswered.push("r-1: not answered")],
  ["a lost start", "starts-kept", (record) => (record.listed = [])],
  ["a start under another key", "starts-kept", (record) => change(record, PARENT, { requestId: "r-1" })],
  [
    "two executions for one key",
    "starts-once",
    (record) => record.listed.push({ ...listed(record), executionId: "other" }),
  ],
  [
    "two answers to one key",
    "starts-once",
    (record) => record.acknowledged.push({ requestId: "r-0", executionId: "other" }),
  ],
  ["a start that nobody asked for", "starts-once", (record) => (record.plans = [])],
  ["a gap", "histories-gapless", (record) => historyOf(record, PARENT).splice(4, 1)],
  ["no beginning", "histories-gapless", (record) => historyOf(record, CHILD).splice(0, 4)],
  [
    "two ends",
    "histories-gapless",
    (record) => historyOf(record, CHILD).push(eventAt(CHILD, 5, { case: "executionFailed", value: {} })),
  ],
  [
    "something after the end",
    "histories-gapless",
    (record) => historyOf(record, CHILD).push(eventAt(CHILD, 5, { case: "nodeSkipped", value: { nodeId: "x" } })),
  ],
  [
    "one attempt that is completed twice",
    "attempts-ordered",
    (record) => insert(record, PARENT, 4, { case: "taskCompleted", value: { nodeId: "start", attempt: 1 } }),
  ],
  [
    "an attempt too many",
    "attempts-ordered",
    (record) => insert(record, PARENT, 4, { case: "taskScheduled", value: { nodeId: "start", attempt: 2 } }),
  ],
  [
    "work that begins while it is suspended",
    "suspensions-kept",
    (record) => insert(record, PARENT, 12, { case: "taskScheduled", value: { nodeId: "new", attempt: 1 } }),
  ],
  ["a state behind its history", "states-follow", (record) => change(record, CHILD, { lastSeq: 3 })],
  ["a state unlike its history", "states-follow", (record) => change(record, CHILD, { status: "running" })],
  ["a list unlike the state", "states-follow", (record) => (record.listed[0] = { ...listed(record), lastSeq: 1 })],
  [
    "work that was never committed",
    "effects-committed",
    (record) => record.effects.push({ ...(record.effects[0] as Effect), key: `${PARENT}/start/2` }),
  ],
  [
    "a completion by nobody",
    "completions-real",
    (record) => (record.effects = record.effects.filter(({ phase }) => phase !== "end")),
  ],
  ["another output than was answered", "completions-real", (record) => changeEffect(record, "end", { result: 4 })],
  ["a failure by nobody", "failures-real", (record) => changeEffect(record, "fail", { failureType: "other" })],
  [
    "one token for two workers",
    "tokens-unique",
    (record) => record.effects.push({ ...(record.effects[0] as Effect), worker: "w2" }),
  ],
  ["an accepted answer of a zombie", "stale-refused", (record) => changeEffect(record, "stale", { worker: "w" })],
  ["an event that was not published", "all-published", (record) => record.published.splice(3, 1)],
  [
    "an event that was published otherwise",
    "all-published",
    (record) => (record.published[3] = published(record, 3, { nodeId: "other" })),
  ],
  [
    "an event that was never committed",
    "only-committed",
    (record) => {
      const event = eventAt(CHILD, 5, { case: "executionFailed", value: {} });
      record.published.push({ id: `${CHILD}/5`, key: CHILD, partition: 0, event });
    },
  ],
  [
    "an event with another's key",
    "only-committed",
    (record) => (record.published[3] = { ...third(record), key: CHILD }),
  ],
  ["events out of order", "published-in-order", (record) => swap(record.published, 3, 4)],
  [
    "one execution in two partitions",
    "published-in-order",
    (record) => (record.published[3] = { ...third(record), partition: 1 }),
  ],
  [
    "a wait that ends early",
    "timers-not-early",
    (record) => setDue(record, 7, (value) => (value["dueAtMs"] = BigInt(timeOfSeq(10)))),
  ],
  [
    "a retry that comes early",
    "timers-not-early",
    (record) => setDue(record, 4, (value) => (value["retryAtMs"] = BigInt(timeOfSeq(7)))),
  ],
  ["an execution that does not end", "all-ended", (record) => historyOf(record, CHILD).pop()],
  ["a worker beyond its slots", "slots-kept", (record) => changeEffect(record, "begin", { running: 3 })],
  ["a slot that is still taken", "nothing-leaked", (record) => (record.workers = [{ workerId: "w", running: 1 }])],
  [
    "a task that still waits",
    "nothing-leaked",
    (record) => (record.queues = [{ name: "add", waiting: 1, running: 0 }]),
  ],
  ["a cancel without effect", "cancels-end", (record) => record.cancels.set(PARENT, "canceled")],
  ["a child that outlives its parent", "cancels-end", (record) => historyOf(record, CHILD).pop()],
  [
    "a child that nobody asked for",
    "children-asked",
    (record) => record.histories.set(PARENT, historyOf(record, PARENT).slice(0, 12)),
  ],
  ["a child that should be left and would not be", "parent-close-kept", (record) => race(record, "leave")],
  [
    "a child that was canceled and not terminated",
    "parent-close-kept",
    (record) => {
      race(record, "terminate");
      historyOf(record, CHILD).splice(3, 1, eventAt(CHILD, 4, { case: "executionCanceled", value: {} }));
    },
  ],
  ["an item with the sum of another", "results-right", (record) => makeItem(record, 11)],
  [
    "a poisoned neighbour",
    "poison-contained",
    (record) => change(record, CHILD, { status: "failed", failure: { type: "expression" } as never }),
  ],
  [
    "a message that nobody can read and that a group has lost",
    "poison-set-aside",
    (record) => (record.poison = { ...record.poison, setAside: record.poison.setAside.slice(1) }),
  ],
  [
    "a good message that was set aside",
    "poison-set-aside",
    (record) => (record.poison = { ...record.poison, planted: [] }),
  ],
  [
    "something that the doctor finds",
    "doctor-clean",
    (record) => (record.doctor = [{ id: "gaps", looked: 2, findings: ["there is a gap"] }]),
  ],
  ["a version that changed", "versions-kept", (record) => change(record, CHILD, { version: 2 })],
];

/** Of these there is none in the sample. */
const ABOUT_NOTHING: ReadonlySet<string> = new Set(["poison-contained", "parent-close-kept"]);

describe("checks", () => {
  it("find nothing where all is well, and look at something each", () => {
    for (const { id, count, violations } of runChecks(sampleRecord())) {
      expect(violations, id).toEqual([]);
      if (!ABOUT_NOTHING.has(id)) expect(count, id).toBeGreaterThan(0);
    }
  });

  it("find nothing where a child has lost a race, or is an item that gives what it must", () => {
    for (const arrange of [
      (record: SampleRecord) => race(record, "cancel"),
      (record: SampleRecord) => makeItem(record, 10),
    ]) {
      const record = sampleRecord();
      arrange(record);
      expect(runChecks(record).flatMap(({ violations }) => violations)).toEqual([]);
    }
  });

  it.each(PLANTED)("see %s", (_what, check, plant) => {
    const record = sampleRecord();
    plant(record);
    const found = runChecks(record).filter(({ violations }) => violations.length > 0);
    expect(found.map(({ id }) => id)).toContain(check);
  });

  it("can each fail", () => {
    const planted = new Set(PLANTED.map(([, check]) => check));
    expect(CHECKS.map(({ id }) => id).filter((id) => !planted.has(id))).toEqual([]);
  });

  it("take a repeated event for no disorder", () => {
    const record = sampleRecord();
    record.published.push(...record.published.slice(2, 6));
    expect(runChecks(record).flatMap(({ violations }) => violations)).toEqual([]);
  });
});

/** Lets the child be one that nobody waits for any more when a race is over. */
function race(record: SampleRecord, onParentClose: ParentClose): void {
  const nodeId = racerOf("s2");
  setLastStage(record, { kind: "race", workflowId: "child", onParentClose, durationMs: 20 });
  change(record, CHILD, { parent: { executionId: PARENT, nodeId } });
  change(record, PARENT, { output: 8 });
  const history = historyOf(record, PARENT);
  Object.assign(history[12]?.event.value as object, { nodeId });
  const output = { form: { case: "json" as const, value: "8" } };
  history[13] = eventAt(PARENT, 14, { case: "nodeCompleted", value: { nodeId: "s2", output } });
  history[14] = eventAt(PARENT, 15, { case: "executionCompleted", value: { output } });
  republish(record);
}

/** Lets the child be the item of a map; `by` is its number. */
function makeItem(record: SampleRecord, by: number): void {
  const nodeId = mapOf("s2");
  setLastStage(record, { kind: "items", by: [by] });
  change(record, CHILD, { workflowId: `parent.${nodeId}`, parent: { executionId: PARENT, nodeId } });
  historyOf(record, PARENT)[12] = eventAt(PARENT, 13, { case: "itemStarted", value: { nodeId, childId: CHILD } });
  republish(record);
}

function setLastStage(record: SampleRecord, stage: Stage): void {
  const key = programKey("parent", 1);
  const program = record.programs.get(key) as Program;
  record.programs.set(key, { ...program, stages: [...program.stages.slice(0, -1), stage] });
}

/** What was published is what the histories say. */
function republish(record: SampleRecord): void {
  record.published = [...record.histories.values()].flat().map((event) => ({
    id: `${event.executionId}/${event.seq}`,
    key: event.executionId,
    partition: 0,
    event,
  }));
}

function listed(record: SampleRecord) {
  return record.listed[0] as SampleRecord["listed"][number];
}

function third(record: SampleRecord) {
  return record.published[3] as SampleRecord["published"][number];
}

function historyOf(record: SampleRecord, id: string): ExecutionEvent[] {
  return record.histories.get(id) as ExecutionEvent[];
}

function change(record: SampleRecord, id: string, fields: Partial<SampleRecord["listed"][number]>): void {
  const changed = { ...(record.executions.get(id) as SampleRecord["listed"][number]), ...fields };
  record.executions.set(id, changed);
  record.listed = record.listed.map((execution) => (execution.executionId === id ? changed : execution));
}

function changeEffect(record: SampleRecord, phase: Effect["phase"], fields: Partial<Effect>): void {
  const index = record.effects.findIndex((effect) => effect.phase === phase);
  record.effects[index] = { ...(record.effects[index] as Effect), ...fields };
}

/** Puts an event at a place; later ones count on. */
function insert(record: SampleRecord, id: string, seq: number, event: Parameters<typeof eventAt>[2]): void {
  const history = historyOf(record, id);
  history.splice(seq - 1, 0, eventAt(id, seq, event));
  for (const [index, later] of history.entries()) later.seq = BigInt(index + 1);
}

function published(record: SampleRecord, index: number, value: object) {
  const original = record.published[index] as SampleRecord["published"][number];
  const { event } = original.event;
  return {
    ...original,
    event: { ...original.event, event: { ...event, value: { ...event.value, ...value } } as never },
  };
}

function setDue(record: SampleRecord, index: number, set: (value: Record<string, unknown>) => void): void {
  set(historyOf(record, PARENT)[index]?.event.value as unknown as Record<string, unknown>);
}

function swap(items: unknown[], a: number, b: number): void {
  [items[a], items[b]] = [items[b], items[a]];
}
