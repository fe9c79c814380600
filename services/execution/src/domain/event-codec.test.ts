import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Event, Failure } from "@heddle/engine";
import { claimPayloadBytes, createPayloadWriter } from "@heddle/journal-service";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeEvent, encodeEvent } from "./event-codec.ts";
import { toProtoEvent } from "./event-to-proto.ts";

const ID = "01900000-0000-7000-8000-000000000007";

function roundTrip(event: Event): Event {
  const encoded = encodeEvent(event, { id: ID, seq: 3 });
  if (encoded instanceof Uint8Array) return decodeEvent(encoded, { get: unexpected });
  const payloads = new Map(encoded.payloads?.map((claim) => [claim.digest, claim.bytes]));
  return decodeEvent(encoded.bytes, { get: (digest) => payloads.get(digest) ?? unexpected(digest) });
}

function unexpected(digest: string): never {
  throw new Error(`nothing was claimed as ${digest}`);
}

const text = fc.string({ maxLength: 20 });
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)));
const at = fc.integer({ min: 0, max: 4e12 });
const attempt = fc.integer({ min: 1, max: 100 });
const time = fc.integer({ min: 1, max: 4e12 });
const maybe = <Key extends string, Value>(key: Key, value: fc.Arbitrary<Value>) =>
  fc
    .option(value, { nil: undefined })
    .map((given) => (given === undefined ? {} : { [key]: given }) as { [K in Key]?: Value });
const merge = <A extends object, B extends object>(a: fc.Arbitrary<A>, b: fc.Arbitrary<B>) =>
  fc.tuple(a, b).map(([x, y]) => ({ ...x, ...y }));
const failure: fc.Arbitrary<Failure> = merge(
  merge(fc.record({ type: name, message: text }), maybe("retryable", fc.constant(false))),
  merge(
    merge(maybe("business", fc.constant(true)), maybe("retryAfterMs", fc.integer({ min: 1, max: 1e6 }))),
    merge(maybe("nodeId", name), maybe("details", json)),
  ),
);
const small = fc.nat({ max: 1e5 });
const origin = fc.record({ kind: fc.constant("machine"), id: fc.constant(ID), name, token: attempt });
const node = { at, nodeId: name };

const record = fc.oneof(
  fc.record({ nodeId: name, input: json }),
  fc.record({ nodeId: name, failure }),
  fc.record({ nodeId: name, childId: fc.constant(ID) }),
);

const events: Record<Event["type"], fc.Arbitrary<object>> = {
  execution_started: merge(
    fc.record({
      at,
      namespace: name,
      workflowId: name,
      version: attempt,
      input: fc.dictionary(name, json),
      requestId: text,
      priority: fc.integer({ min: 0, max: 9 }),
      labels: fc.dictionary(name, text),
    }),
    merge(
      merge(
        maybe(
          "parent",
          merge(fc.record({ executionId: fc.constant(ID), nodeId: name }), maybe("outlives", fc.constant(true))),
        ),
        maybe("depth", attempt),
      ),
      merge(
        merge(maybe("traceparent", name), maybe("origin", origin)),
        merge(
          merge(
            maybe("rerunOf", fc.record({ executionId: fc.constant(ID), from: fc.array(name, { maxLength: 2 }) })),
            merge(maybe("workflowKey", name), maybe("attributes", fc.dictionary(name, fc.oneof(text, fc.array(text))))),
          ),
          maybe("compensates", fc.record({ executionId: fc.constant(ID), records: fc.array(record) })),
        ),
      ),
    ),
  ),
  node_reused: merge(
    merge(
      fc.record({ ...node, status: fc.constantFrom("completed", "failed", "skipped", "canceled"), attempt }),
      merge(maybe("output", json), maybe("failure", failure)),
    ),
    merge(
      merge(
        merge(maybe("isHandled", fc.constant(true)), maybe("fallbackId", name)),
        merge(maybe("skipReason", name), maybe("chosen", fc.array(name, { minLength: 1, maxLength: 3 }))),
      ),
      merge(
        merge(maybe("childId", fc.constant(ID)), maybe("machineId", fc.constant(ID))),
        merge(
          merge(
            maybe("worker", name),
            maybe("itemCounts", fc.record({ count: small, succeeded: small, failed: small })),
          ),
          merge(maybe("startedAt", time), maybe("endedAt", time)),
        ),
      ),
    ),
  ),
  vars_reused: fc.record({
    at,
    writes: fc.array(fc.record({ nodeId: name, fields: fc.dictionary(name, json) }), { maxLength: 3 }),
  }),
  items_reused: fc.record({
    ...node,
    indices: fc.array(fc.nat({ max: 1e5 }), { maxLength: 3 }),
    items: fc.array(json, { maxLength: 3 }),
    outputs: fc.array(json, { maxLength: 3 }),
  }),
  execution_reset: fc.record({ at, nodeIds: fc.array(name, { maxLength: 3 }), reason: text, requestId: text }),
  execution_completed: fc.record({ at, output: json }),
  execution_failed: fc.record({ at, failure }),
  execution_canceled: merge(fc.record({ at, reason: text }), maybe("terminated", fc.constant(true))),
  execution_error_handled: merge(
    fc.record({
      at,
      failure,
      outcome: fc.oneof(
        fc.record({ action: fc.constant("continue") }),
        fc.record({ action: fc.constant("fallback"), fallbackId: name }),
      ),
    }),
    maybe("dueAt", time),
  ),
  execution_ending_hastened: merge(fc.record({ at, reason: text }), maybe("dueAt", time)),
  execution_ending: merge(
    fc.record({
      at,
      end: fc.oneof(
        fc.record({ outcome: fc.constant("completed"), output: json }),
        fc.record({ outcome: fc.constant("failed"), failure }),
        fc.record({ outcome: fc.constant("canceled"), reason: text }),
      ),
    }),
    maybe("dueAt", time),
  ),
  compensation_recorded: merge(fc.record({ at }), record),
  incident_resolved: fc.record({
    ...node,
    reason: text,
    resolution: fc.oneof(
      merge(fc.record({ action: fc.constant("retry") }), maybe("input", json)),
      fc.record({ action: fc.constant("complete"), output: json }),
      fc.record({ action: fc.constantFrom("skip", "fail") }),
    ),
  }),
  compensation_started: fc.record(node),
  child_ended: fc.record({ ...node, childId: fc.constant(ID) }),
  execution_suspended: fc.record({ at, reason: text }),
  execution_resumed: fc.record({ at, reason: text }),
  update_accepted: merge(
    fc.record({ at, name, requestId: text, payload: json }),
    merge(
      merge(maybe("set", fc.dictionary(name, json)), maybe("signal", name)),
      merge(maybe("key", name), maybe("after", name)),
    ),
  ),
  update_answered: fc.oneof(
    fc.record({ at, name, requestId: text, reply: json }),
    fc.record({ at, name, requestId: text, failure }),
  ),
  signal_received: merge(fc.record({ at, name, payload: json, requestId: text }), maybe("key", name)),
  task_scheduled: merge(fc.record({ ...node, attempt }), maybe("input", json)),
  task_completed: fc.record({ ...node, attempt, output: json, startedAt: time, worker: text }),
  task_failed: merge(
    fc.record({ ...node, attempt, failure }),
    merge(
      merge(maybe("retryAt", time), maybe("startedAt", time)),
      merge(maybe("worker", name), maybe("stopped", fc.constant(true))),
    ),
  ),
  wait_started: merge(
    fc.record(node),
    merge(merge(maybe("dueAt", time), maybe("signal", name)), merge(maybe("event", name), maybe("key", name))),
  ),
  event_received: fc.record({
    ...node,
    event: merge(
      fc.record({ id: name, name, payload: json, executionId: fc.constant(ID), workflowId: name, occurredAt: time }),
      maybe("key", name),
    ),
  }),
  child_started: merge(
    fc.record({ ...node, childId: fc.constant(ID), workflowId: name, input: json }),
    merge(maybe("version", attempt), maybe("compensates", fc.constant(ID))),
  ),
  machine_requested: merge(
    fc.record({
      ...node,
      workflowId: name,
      input: merge(
        fc.record({ context: fc.dictionary(name, json), events: fc.array(fc.record({ event: name, data: json })) }),
        maybe("key", name),
      ),
    }),
    maybe("version", attempt),
  ),
  machine_acknowledged: fc.record({ ...node, machineId: fc.constant(ID) }),
  node_completed: merge(
    fc.record({ ...node, output: json }),
    maybe("chosen", fc.array(name, { minLength: 1, maxLength: 3 })),
  ),
  node_failed: fc.record({ ...node, failure }),
  node_skipped: fc.record({
    ...node,
    reason: fc.constantFrom("condition", "not_chosen", "dependency_skipped", "depends", "not_needed"),
  }),
  node_canceled: merge(
    fc.record(node),
    merge(merge(maybe("reason", fc.constant("not_needed")), maybe("attempt", attempt)), maybe("restarts", attempt)),
  ),
  error_handled: fc.record({
    ...node,
    failure,
    outcome: fc.oneof(
      fc.record({ action: fc.constantFrom("skip", "incident") }),
      fc.record({ action: fc.constant("continue"), output: json }),
      fc.record({ action: fc.constant("fallback"), fallbackId: name }),
    ),
  }),
  turn_started: merge(
    fc.record({ ...node, turn: fc.nat() }),
    merge(merge(maybe("dueAt", time), maybe("items", fc.array(json))), maybe("carry", json)),
  ),
  map_started: fc.record({
    ...node,
    items: fc.oneof(fc.array(json), fc.record({ from: fc.integer(), count: fc.nat() })),
  }),
  item_started: merge(
    fc.record({ ...node, index: fc.nat(), childId: fc.constant(ID), workflowId: name, input: json }),
    maybe("version", attempt),
  ),
  item_ended: fc.record({
    ...node,
    index: fc.nat(),
    end: fc.oneof(
      fc.record({ outcome: fc.constant("succeeded"), output: json }),
      fc.record({ outcome: fc.constant("failed"), failure }),
      fc.constant({ outcome: "canceled" }),
    ),
  }),
  turn_ended: fc.record({ ...node, turn: fc.nat(), result: json }),
  attributes_set: fc.record({ ...node, attributes: fc.dictionary(name, fc.oneof(text, fc.constant(null))) }),
  human_task_created: merge(
    fc.record({ ...node, taskId: name, title: text, groups: fc.array(name), priority: fc.integer({ min: 0, max: 9 }) }),
    merge(
      merge(merge(maybe("description", name), maybe("assignee", name)), maybe("data", json)),
      merge(maybe("proposed", json), maybe("dueAt", time)),
    ),
  ),
  human_task_claimed: fc.record({ ...node, by: name, requestId: text }),
  human_task_released: fc.record({ ...node, by: name, requestId: text }),
  human_task_reassigned: merge(
    fc.record({ ...node, by: name, groups: fc.array(name), requestId: text }),
    maybe("assignee", name),
  ),
  human_task_commented: fc.record({ ...node, by: name, text, requestId: text }),
  human_task_answered: merge(fc.record({ ...node, by: name, answer: json, requestId: text }), maybe("values", json)),
  human_task_escalated: merge(
    fc.record({ ...node, step: attempt, groups: fc.array(name) }),
    merge(maybe("assignee", name), maybe("dueAt", time)),
  ),
  human_task_expired: fc.record(node),
  logged: fc.record({ ...node, level: fc.constantFrom("debug", "info", "warn", "error"), message: text }),
  custom_event_emitted: merge(fc.record({ ...node, name, payload: json }), maybe("key", name)),
};

/** The whole message at once. */
function encodeByLibrary(event: Event, { id, seq }: { id: string; seq: number }): Uint8Array {
  const message = create(ExecutionEventSchema, {
    executionId: id,
    seq: BigInt(seq),
    occurredAt: timestampFromMs(event.at),
  });
  message.event = toProtoEvent(event, createPayloadWriter([]));
  return toBinary(ExecutionEventSchema, message);
}

describe("the event codec", () => {
  it.each(Object.keys(events) as Event["type"][])("brings %s back as it was", (type) => {
    fc.assert(
      fc.property(events[type], (fields) => {
        const event = { type, ...fields } as Event;
        expect(roundTrip(event)).toEqual(event);
      }),
    );
  });

  it.each(Object.keys(events) as Event["type"][])("writes %s as the library does", (type) => {
    fc.assert(
      fc.property(events[type], fc.integer({ min: 1, max: 2 ** 40 }), (fields, seq) => {
        const event = { type, ...fields } as Event;
        const context = { id: ID, seq };
        const bytes = (encoded: ReturnType<typeof encodeEvent>) => Buffer.from(encoded as Uint8Array).toString("hex");
        expect(bytes(encodeEvent(event, context))).toBe(bytes(encodeByLibrary(event, context)));
      }),
    );
  });

  it("stores a large payload beside the event, once for the same text", () => {
    const output = { text: "x".repeat(claimPayloadBytes) };
    const event: Event = { type: "node_completed", at: 1, nodeId: "a", output };
    const encoded = encodeEvent(event, { id: ID, seq: 1 });
    const again = encodeEvent({ ...event, at: 2 }, { id: ID, seq: 2 });
    if (encoded instanceof Uint8Array || again instanceof Uint8Array) throw new Error("nothing was claimed");
    expect(encoded.payloads).toHaveLength(1);
    expect(encoded.payloads?.[0]).toMatchObject({ name: "output of node a", digest: again.payloads?.[0]?.digest });
    expect(encoded.bytes.length).toBeLessThan(300);
    expect(roundTrip(event)).toEqual(event);
  });

  it("measures bytes and not characters", () => {
    const output = "ü".repeat(claimPayloadBytes / 2);
    expect(encodeEvent({ type: "node_completed", at: 1, nodeId: "a", output }, { id: ID, seq: 1 })).toHaveProperty(
      "payloads",
    );
    const fits = "ü".repeat(claimPayloadBytes / 2 - 1);
    expect(
      encodeEvent({ type: "node_completed", at: 1, nodeId: "a", output: fits }, { id: ID, seq: 1 }),
    ).toBeInstanceOf(Uint8Array);
  });
});
