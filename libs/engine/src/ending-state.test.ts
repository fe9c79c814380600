import { expect, test } from "vitest";
import { parsePlan } from "../test/support/plan-text.ts";
import { createRunner, startCommand } from "../test/support/runner.ts";
import { linkPlan } from "./index.ts";

test("what undoes the children of a loop is counted, and no more once it is undone", () => {
  const lines = [
    'each loop until="loop.index >= 19"',
    "child child in=each workflow=other inputs={}",
    "end task after=each",
  ];
  const runner = createRunner(linkPlan(parsePlan(lines)));
  runner.send(startCommand({}), 0);
  const first = runner.state!.payloadBytes;
  for (let turn = 0; turn < 20; turn++) {
    const { childId } = runner.known.children[0]!;
    runner.send({ type: "complete_child", nodeId: "child", childId, output: null, compensable: true }, turn);
  }
  const { compensations = [], payloadBytes } = runner.state!;
  expect(compensations).toHaveLength(20);
  const ids = compensations.reduce((sum, { childId = "" }) => sum + childId.length, 0);
  expect(payloadBytes - first).toBeGreaterThan(ids);
  runner.send(
    { type: "fail_task", nodeId: "end", attempt: 1, failure: { type: "x", message: "", retryable: false } },
    20,
  );
  for (let turn = 0; turn < 20; turn++) {
    const { childId, nodeId } = runner.known.children[0]!;
    runner.send({ type: "complete_child", nodeId, childId, output: null }, 30 + turn);
  }
  expect(runner.state).toMatchObject({ status: "failed", compensations: [] });
  expect(payloadBytes - runner.state!.payloadBytes).toBeGreaterThan(ids - 200);
});
