import { fromJson, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { ExecutionStatus, NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const PAYMENTS = `
workflow:
  id: payments
  type: dag
  nodes:
    - { id: first, type: action, subtype: wait, params: { signal: paid, key: "\${input.first}" } }
    - { id: second, type: action, subtype: wait, params: { signal: paid, key: "\${input.second}" } }
    - { id: late, type: action, subtype: wait, dependencies: [first, second], params: { signal: paid, duration: 10ms, on_timeout: continue } }
`;

const ORDER = `
workflow:
  id: order
  type: dag
  updates:
    - name: change-address
      input: { schema: { type: object, properties: { street: { type: string } }, required: [street] } }
      when: "\${pack.status != 'completed'}"
      otherwise: "the parcel of order \${input.id} is closed"
      set: { street: "\${update.payload.street}" }
      reply: { street: "\${vars.street}" }
    - { name: pay, signal: paid, key: "\${update.payload.order}", after: charge }
  queries:
    - { name: progress, output: { packed: "\${pack.status}", street: "\${vars.street ?? 'none'}", asked: "\${query.args}" } }
  nodes:
    - { id: paid, type: action, subtype: wait, params: { signal: paid, key: "\${input.id}" } }
    - { id: charge, type: tool, tool: echo, inputs: "\${paid.output}" }
    - { id: pack, type: tool, tool: echo, dependencies: [charge], inputs: { to: "\${vars.street}" } }
`;

const LISTENER = `
workflow:
  id: listener
  type: dag
  nodes:
    - { id: paid, type: action, subtype: wait, params: { event: order_paid, key: "\${input.id}", filter: "\${event.payload.amount > 10}" } }
    - { id: again, type: action, subtype: wait, dependencies: [paid], params: { event: order_paid, key: "\${input.id}" } }
`;

const COUNTER = `
workflow:
  id: counter
  type: dag
  nodes:
    - id: each
      type: control
      subtype: loop
      for_each: "\${input.turns}"
      nodes:
        - { id: tick, type: action, subtype: wait, params: { event: ticked, key: "\${input.id}" } }
`;

const EMITTER = `
workflow:
  id: emitter
  type: dag
  nodes:
    - { id: tell, type: action, subtype: emit, params: { event: order_paid, key: "\${input.id}", payload: { amount: "\${input.amount}" } } }
`;

let suite: ExecutionSuite;
beforeAll(async () => {
  suite = await startExecutionSuite();
  suite.publish(PAYMENTS);
  suite.publish(ORDER);
  suite.publish(LISTENER);
  suite.publish(EMITTER);
  suite.publish(COUNTER);
});
afterAll(() => suite.stop());

describe("waits", () => {
  it("give each signal to the wait of its key, across a crash, and go on when the time is over", async () => {
    const started = await suite.client.startExecution({ workflowId: "payments", input: { first: 1, second: "b" } });
    const { executionId } = started.execution!;
    const { nodes } = await get(executionId);
    expect(nodes.map(({ signal, signalKey }) => [signal, signalKey])).toEqual([
      ["paid", "1"],
      ["paid", "b"],
      ["", ""],
    ]);
    await signal(executionId, "nobody's", "x");
    await signal(executionId, "second", "b");
    await suite.crash();
    // The same request again, as a sender repeats it that got no answer.
    await signal(executionId, "second", "b");
    await signal(executionId, "first", "1");
    await expect.poll(async () => (await get(executionId)).status).toBe(ExecutionStatus.COMPLETED);
    const outputs = (await get(executionId)).nodes.map(({ output }) => toJson(ValueSchema, output!));
    expect(outputs).toEqual(["first", "second", { timed_out: true, payload: null }]);
  });
});

describe("waits for events", () => {
  const emit = async (id: number | string, amount: number) => {
    const input = { id, amount };
    const { execution } = await suite.client.startExecution({ workflowId: "emitter", input, wait: { seconds: 10n } });
    return execution!.executionId;
  };

  it("take those of their key that pass their filter, each once", async () => {
    const { execution } = await suite.client.startExecution({ workflowId: "listener", input: { id: 7 } });
    const { executionId } = execution!;
    expect((await get(executionId)).nodes[0]).toMatchObject({ event: "order_paid", signalKey: "7" });
    await emit(8, 50);
    const small = await emit(7, 5);
    const large = await emit(7, 50);
    // The node that begins next is offered what has come since the start, and takes the oldest.
    const ofNodes = async () => (await get(executionId)).nodes.map(({ output }) => jsonOf(output));
    await expect.poll(ofNodes).toMatchObject([
      { execution_id: large, key: "7", workflow_id: "emitter", payload: { amount: 50 } },
      { execution_id: small, payload: { amount: 5 } },
    ]);
    expect((await get(executionId)).status).toBe(ExecutionStatus.COMPLETED);
  });

  it("are known to whoever takes the partition over, and told to all that wait", async () => {
    const start = () => suite.client.startExecution({ workflowId: "listener", input: { id: "crash" } });
    const ids = (await Promise.all([start(), start(), start()])).map(({ execution }) => execution!.executionId);
    await suite.crash();
    await emit("crash", 20);
    await suite.crash();
    await emit("crash", 30);
    for (const id of ids) await expect.poll(async () => (await get(id)).status).toBe(ExecutionStatus.COMPLETED);
    // Nobody waits any more: what was subscribed is gone, at the latest with the next event.
    await emit("crash", 40);
    const database = suite.testDatabase.open();
    const rows = async () => (await database.query({ text: "select * from event_waits", values: [] })).rows;
    await expect.poll(rows).toEqual([]);
  });
});

describe("waits for events in a loop", () => {
  it("stay known from turn to turn: the end of one does not take away the next", async () => {
    const turns = Array.from({ length: 20 }, (_, turn) => turn);
    const input = { id: "loop", turns };
    const { execution } = await suite.client.startExecution({ workflowId: "counter", input });
    const { executionId } = execution!;
    const database = suite.testDatabase.open();
    const rows = async () => {
      const text = "select run from event_waits where execution_id = $1";
      return (await database.query<{ run: number }>({ text, values: [executionId] })).rows.map(({ run }) => run);
    };
    for (const turn of turns) {
      await expect.poll(rows).toEqual([turn]);
      await suite.client.publishEvent({ name: "ticked", key: "loop", requestId: `tick-${turn}` });
    }
    await expect.poll(async () => (await get(executionId)).status).toBe(ExecutionStatus.COMPLETED);
    await expect.poll(rows).toEqual([]);
  });
});

describe("PublishEvent", () => {
  it("tells what has happened by its key, to whoever waits now or soon, once for a request id", async () => {
    const { execution } = await suite.client.startExecution({ workflowId: "listener", input: { id: "out" } });
    const { executionId } = execution!;
    const publish = (amount: number, requestId: string) =>
      suite.client.publishEvent({
        name: "order_paid",
        key: "out",
        payload: fromJson(ValueSchema, { amount }),
        requestId,
      });
    // The wait is known a moment after it has begun; what comes before that is offered to it then.
    const first = await publish(11, "p1");
    expect(first.eventId).toBe("external/default/p1");
    await expect.poll(async () => (await get(executionId)).nodes[0]?.status).toBe(NodeStatus.COMPLETED);
    expect(jsonOf((await get(executionId)).nodes[0]?.output)).toMatchObject({
      id: first.eventId,
      execution_id: null,
      payload: { amount: 11 },
    });
    // The second node takes it as well: it has not taken it before.
    await expect.poll(async () => (await get(executionId)).status).toBe(ExecutionStatus.COMPLETED);
    expect((await publish(11, "p1")).told).toBe(0);
  });
});

describe("updates and queries", () => {
  it("are validated, answered across a crash, applied once, and asked of an execution that has ended", async () => {
    const { execution } = await suite.client.startExecution({ workflowId: "order", input: { id: 7 } });
    const { executionId } = execution!;
    const change = (street: unknown, requestId: string) =>
      suite.client.updateExecution({
        executionId,
        name: "change-address",
        payload: fromJson(ValueSchema, { street } as never),
        requestId,
      });
    await expect(change(7, "bad")).rejects.toMatchObject({
      reason: "INPUT_INVALID",
      violations: [expect.objectContaining({ field: "payload.street" })],
    });
    await expect(
      suite.client.updateExecution({ executionId, name: "change-adress", requestId: "typo" }),
    ).rejects.toMatchObject({ reason: "UPDATE_UNKNOWN", message: expect.stringContaining("change-address") });
    expect(jsonOf((await change("Elm", "c1")).reply)).toEqual({ street: "Elm" });

    // Accepted, and the process dies before the node that it waits for has ended: the sender asks again and gets the reply.
    const pay = (wait: bigint) =>
      suite.client.updateExecution({
        executionId,
        name: "pay",
        payload: fromJson(ValueSchema, { order: 7, card: "x" }),
        requestId: "p1",
        wait: { seconds: wait },
      });
    const first = await pay(0n);
    expect([first.reply, first.failure]).toEqual([undefined, undefined]);
    await suite.crash();
    const answer = pay(20n);
    suite.scheduler.answer = (_, input) => ({ output: input as never });
    expect(jsonOf((await answer).reply)).toEqual({ order: 7, card: "x" });
    expect(jsonOf((await change("Oak", "c1")).reply)).toEqual({ street: "Elm" });

    await expect.poll(async () => (await get(executionId)).status).toBe(ExecutionStatus.COMPLETED);
    await expect(change("Ash", "c2")).rejects.toMatchObject({ reason: "EXECUTION_FINISHED" });
    expect(jsonOf((await pay(0n)).reply)).toEqual({ order: 7, card: "x" });
    expect(await query(executionId, "progress", "me")).toEqual({ packed: "completed", street: "Elm", asked: "me" });
    expect(await query(executionId, "vars")).toEqual({ street: "Elm" });
    await expect(query(executionId, "progres")).rejects.toMatchObject({ reason: "QUERY_UNKNOWN" });
    const { events } = await suite.client.listHistory({ executionId });
    const updates = events.filter(({ event }) => event.case === "updateAccepted" || event.case === "updateAnswered");
    expect(updates).toHaveLength(4);
  });
});

function jsonOf(value: Parameters<typeof toJson<typeof ValueSchema>>[1] | undefined) {
  return value === undefined ? undefined : toJson(ValueSchema, value);
}

async function query(executionId: string, name: string, args: string | null = null) {
  return jsonOf((await suite.client.queryExecution({ executionId, name, args: fromJson(ValueSchema, args) })).output);
}

async function signal(executionId: string, payload: string, key: string): Promise<void> {
  const value = { kind: { case: "stringValue" as const, value: payload } };
  await suite.client.signalExecution({ executionId, name: "paid", payload: value, key, requestId: `paid-${key}` });
}

async function get(executionId: string) {
  return (await suite.client.getExecution({ executionId })).execution!;
}
