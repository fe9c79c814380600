import { create, fromJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { ExecutionSchema, NodeExecutionSchema, NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { expect, test } from "vitest";
import { compareExecutions, describeState } from "./compare-executions.ts";

const value = (json: never) => fromJson(ValueSchema, json);
const node = (nodeId: string, output: unknown, more: object = {}) =>
  create(NodeExecutionSchema, {
    nodeId,
    status: NodeStatus.COMPLETED,
    attempt: 1,
    output: value(output as never),
    ...more,
  });

test("two executions differ in what their nodes got, gave and took", () => {
  const before = create(ExecutionSchema, {
    nodes: [
      node("same", { a: 1, b: 2 }),
      node("kept", 1, { input: value(1 as never) }),
      node("output", 1),
      node("input", 1, { input: value(1 as never) }),
      node("failed", 1),
      node("gone", 1),
    ],
  });
  const after = create(ExecutionSchema, {
    nodes: [
      node("new", 1),
      node("same", { b: 2, a: 1 }),
      node("kept", 1, { reused: true }),
      node("output", 2),
      node("input", 1, { input: value(2 as never), attempt: 2 }),
      create(NodeExecutionSchema, {
        nodeId: "failed",
        status: NodeStatus.FAILED,
        attempt: 1,
        failure: { type: "bad", message: "no" },
      }),
    ],
  });
  expect(compareExecutions(before, after).map(({ nodeId, differs }) => [nodeId, ...differs])).toEqual([
    ["new", "only_after"],
    ["output", "output"],
    ["input", "attempt", "input"],
    ["failed", "status", "output", "failure"],
    ["gone", "only_before"],
  ]);
  expect(describeState(after.nodes[2])).toBe("completed, reused");
  expect(describeState(after.nodes[4])).toBe("completed, attempt 2");
});
