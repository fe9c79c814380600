import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const ORDER = `
workflow:
  id: order
  type: dag
  nodes:
    - { id: note, type: action, subtype: set_attributes, params: { total: "\${input.total}", draft: null, region: eu } }
    - { id: wait, type: action, subtype: wait, params: { signal: go }, dependencies: [note] }
    - { id: done, type: action, subtype: set_attributes, params: { region: null, tags: [paid, shipped] }, dependencies: [wait] }
`;

let suite: ExecutionSuite;
beforeEach(async () => {
  suite = await startExecutionSuite();
  suite.publish(ORDER);
});
afterEach(() => suite.stop());

const text = (value: string) => ({ kind: { case: "stringValue" as const, value } });
const number = (value: number) => ({ kind: { case: "numberValue" as const, value } });
const equals = (name: string, value: ReturnType<typeof text | typeof number>) => ({
  name,
  condition: { case: "equals" as const, value },
});

async function find(...attributes: Parameters<typeof suite.client.listExecutions>[0]["attributes"] & object[]) {
  const { executions } = await suite.client.listExecutions({ attributes });
  return executions.map(({ labels }) => labels["n"]);
}

async function start(n: number): Promise<string> {
  const { execution } = await suite.client.startExecution({
    workflowId: "order",
    input: { total: n * 10 },
    labels: { n: String(n) },
    searchAttributes: { customer: n % 2 === 0 ? "acme" : "bolt", draft: true, due: `2030-01-0${n}` },
  });
  return execution!.executionId;
}

describe("search attributes", () => {
  it("find executions by equality and range, as they were set at the start and since, also after a crash", async () => {
    const ids: string[] = [];
    for (const n of [1, 2, 3, 4]) ids.push(await start(n));
    await until(async () => (await find(equals("region", text("eu")))).length === 4);
    await suite.crash();
    expect(await find(equals("customer", text("acme")))).toEqual(["4", "2"]);
    const range = (bounds: object) => ({ name: "total", condition: { case: "range" as const, value: bounds } });
    expect(await find(range({ atLeast: number(20), below: number(40) }))).toEqual(["3", "2"]);
    expect(await find(range({ above: number(20) }), equals("customer", text("acme")))).toEqual(["4"]);
    expect(await find({ name: "due", condition: { case: "range", value: { atMost: text("2030-01-02") } } })).toEqual([
      "2",
      "1",
    ]);
    expect(await find(equals("total", text("20")))).toEqual([]);
    expect(
      await find({ name: "draft", condition: { case: "equals", value: { kind: { case: "boolValue", value: true } } } }),
    ).toEqual([]);

    await suite.client.signalExecution({ executionId: ids[0]!, name: "go" });
    await until(async () => (await find(equals("tags", text("shipped")))).length === 1);
    expect(await find(equals("region", text("eu")))).toEqual(["4", "3", "2"]);
    const { execution } = await suite.client.getExecution({ executionId: ids[0]! });
    expect(execution?.searchAttributes).toEqual({
      customer: "bolt",
      due: "2030-01-01",
      total: 10,
      tags: ["paid", "shipped"],
    });
  });

  it("are refused when they cannot be searched for", async () => {
    const request = { workflowId: "order", input: { total: 1 } };
    await expect(
      suite.client.startExecution({ ...request, searchAttributes: { total: { eur: 1 } } }),
    ).rejects.toMatchObject({ reason: "REQUEST_INVALID" });
    await expect(
      suite.client.listExecutions({ attributes: [{ name: "total", condition: { case: "range", value: {} } }] }),
    ).rejects.toMatchObject({ reason: "REQUEST_INVALID" });
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
