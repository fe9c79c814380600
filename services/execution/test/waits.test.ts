import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
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

let suite: ExecutionSuite;
beforeAll(async () => {
  suite = await startExecutionSuite();
  suite.publish(PAYMENTS);
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

async function signal(executionId: string, payload: string, key: string): Promise<void> {
  const value = { kind: { case: "stringValue" as const, value: payload } };
  await suite.client.signalExecution({ executionId, name: "paid", payload: value, key, requestId: `paid-${key}` });
}

async function get(executionId: string) {
  return (await suite.client.getExecution({ executionId })).execution!;
}
