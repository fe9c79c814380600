import { toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import { type Execution, ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { seqOf } from "../src/domain/aggregate.ts";
import { snapshotAlwaysBytes } from "../src/domain/limits.ts";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

// Small sizes of what test/bench/large measures: wide and deep executions come to their end, and a crash in their middle
// finds a snapshot that is behind.

const NODES = 400;
const FILLER = "x".repeat(300);

let suite: ExecutionSuite;
beforeEach(async () => {
  suite = await startExecutionSuite((_, input) => ({ output: input }));
});
afterEach(() => suite.stop());

describe("a large execution", () => {
  it("is rebuilt from a snapshot that is behind and the history since", async () => {
    const nodes = Array.from(
      { length: NODES },
      (_, n) =>
        `    - { id: n${n}, type: tool, tool: echo, inputs: { n: ${n}, filler: "${FILLER}" }${n > 0 ? `, dependencies: [n${n - 1}]` : ""} }`,
    );
    suite.publish(`
workflow:
  id: long
  type: dag
  nodes:
${nodes.join("\n")}
  output: "\${n${NODES - 1}.output.n}"
`);
    let answered = 0;
    suite.scheduler.answer = (_, input) => ((input as { n: number }).n <= answered ? { output: input } : undefined);
    const id = await start("long");
    let lags = 0;
    for (answered = 99; answered < NODES - 1; answered += 100) {
      // What is open is said again to the scheduler, which answers it now.
      await suite.crash();
      const reached = answered;
      // Its start, and two events of each node.
      await until(async () => (await stored(id)).last_seq > 2 * (reached + 1));
      const { snapshot, last_seq: lastSeq } = await stored(id);
      const seq = seqOf(snapshot.toString()) ?? 0;
      expect(seq).toBeLessThanOrEqual(lastSeq);
      if (seq < lastSeq) lags += 1;
    }
    answered = NODES;
    await suite.crash();
    // Otherwise nothing was tried here.
    expect(lags).toBeGreaterThan(0);
    await until(async () => (await get(id)).status === ExecutionStatus.COMPLETED);
    expect(json((await get(id)).output)).toBe(NODES - 1);
    await until(async () => (await stored(id)).ended);
    const { snapshot, last_seq: lastSeq } = await stored(id);
    expect(snapshot.length).toBeGreaterThan(snapshotAlwaysBytes);
    expect(seqOf(snapshot.toString())).toBe(lastSeq);
    await suite.restart();
    expect((await get(id)).nodes.at(-1)?.attempt).toBe(1);
  });

  it("maps over many items, and keeps their outputs out of itself", async () => {
    suite.publish(`
workflow:
  id: item
  type: dag
  nodes: [{ id: work, type: action, subtype: transform, params: { value: { n: "\${input.item}" } } }]
`);
    suite.publish(`
workflow:
  id: wide
  type: dag
  nodes:
    - { id: all, type: control, subtype: map, range: { from: 1, to: 1000 }, workflow_id: item, max_concurrency: 200, collect: false }
`);
    const id = await start("wide");
    await until(async () => (await get(id)).status !== ExecutionStatus.RUNNING);
    expect(json((await get(id)).output)).toEqual({ all: { count: 1000, succeeded: 1000, failed: 0 } });
    await until(async () => (await stored(id)).ended);
    expect((await stored(id)).snapshot.length).toBeLessThan(4_000);
  });

  it("loops many times in the state of one turn", async () => {
    suite.publish(`
workflow:
  id: round
  type: dag
  nodes:
    - id: turns
      type: control
      subtype: loop
      while: "\${loop.index < 1000}"
      max_iterations: 1000
      carry: 0
      next: "\${step.output}"
      output: "\${loop.carry}"
      nodes: [{ id: step, type: action, subtype: transform, params: { value: "\${loop.carry + 1}" } }]
`);
    const id = await start("round");
    await until(async () => (await get(id)).status !== ExecutionStatus.RUNNING);
    expect(json((await get(id)).output)).toEqual({ turns: 1000 });
    await until(async () => (await stored(id)).ended);
    expect((await stored(id)).snapshot.length).toBeLessThan(4_000);
  });

  it("nests sub-workflows twenty deep", async () => {
    suite.publish(`
workflow:
  id: deep
  type: dag
  nodes:
    - { id: below, type: sub_workflow, workflow_id: deep, when: "\${input.depth > 1}", inputs: { depth: "\${input.depth - 1}" } }
    - { id: sum, type: action, subtype: transform, params: { value: "\${below.status == 'completed' ? below.output + 1 : 1}" }, depends: below.settled }
  output: "\${sum.output}"
`);
    const { execution } = await suite.client.startExecution({ workflowId: "deep", input: { depth: 20 } });
    const id = execution!.executionId;
    await until(async () => (await get(id)).status !== ExecutionStatus.RUNNING);
    expect(json((await get(id)).output)).toBe(20);
  });
});

interface Stored {
  last_seq: number;
  snapshot: Buffer;
  ended: boolean;
}

async function stored(id: string): Promise<Stored> {
  const { rows } = await suite.testDatabase.database.query<{ last_seq: string; snapshot: Buffer; ended: boolean }>({
    text: "select last_seq, snapshot, ended_at is not null as ended from executions where execution_id = $1",
    values: [id],
  });
  const [row] = rows;
  return row === undefined
    ? { last_seq: 0, snapshot: Buffer.alloc(0), ended: false }
    : { ...row, last_seq: Number(row.last_seq) };
}

async function start(workflowId: string): Promise<string> {
  const { execution } = await suite.client.startExecution({ workflowId, input: {} });
  return execution!.executionId;
}

async function get(id: string): Promise<Execution> {
  return (await suite.client.getExecution({ executionId: id })).execution!;
}

function json(value: Value | undefined): unknown {
  return value === undefined ? undefined : toJson(ValueSchema, value);
}

/** Waits until the condition holds; the test's own timeout bounds it. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
