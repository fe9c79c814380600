import { expect, it } from "vitest";
import { EXIT } from "../src/index.ts";
import { executionId } from "./sample.ts";
import { useFakeServer } from "./use-fake-server.ts";

const { call, lastRequest } = useFakeServer();

it("lists incidents of all executions with the turn and the item, or those of one", async () => {
  const { stdout, stderr } = await call(
    "incidents",
    "--workflow",
    "support.each",
    "--failure-type",
    "refused",
    "--node",
    "refund",
    "--opened-after",
    "2023-01-01T00:00:00Z",
    "--limit",
    "1",
  );
  expect(stdout).toMatch(
    /^EXECUTION .*\n01990f5e-0000-7000-8000-000000000001 {2}support.each v3 {2}refund turn 2\.3 of each\[4\] {2}refused: no money +5 /,
  );
  expect(stderr).toContain("there are more: --limit 5");
  expect(lastRequest("list-incidents")).toMatchObject({
    namespace: "default",
    workflowId: "support.each",
    failureType: "refused",
    nodeId: "refund",
    openedAfter: { seconds: 1_672_531_200n },
    pageSize: 1,
  });
  expect(JSON.parse((await call("incidents", "--json", "--limit", "1")).stdout)).toMatchObject({
    more: true,
    incidents: [{ executionId, nodeId: "refund", attempts: 5 }],
  });
  expect((await call("incidents", executionId)).stdout).toBe("no node waits with an incident\n");
  expect((await call("incidents", executionId, "--json")).stdout).toBe("[]\n");
  const both = await call("incidents", executionId, "--node", "refund");
  expect(both.exitCode).toBe(EXIT.invalid);
  await call("list", "--has-incidents");
  expect(lastRequest("list")).toMatchObject({ hasIncidents: true });
});

it("resolves incidents of many executions by a batch, and of one, in exactly one way", async () => {
  const flags = ["--failure-type", "refused", "--node", "refund", "--input", '{"amount":4}', "--reason", "mended"];
  await call("batch", "create", "resolve", ...flags, "--canary", "2");
  expect(lastRequest("create-batch")).toMatchObject({
    operation: {
      operation: {
        case: "resolveIncidents",
        value: {
          failureType: "refused",
          nodeId: "refund",
          reason: "mended",
          resolution: { case: "retry", value: { input: { kind: { case: "structValue" } } } },
        },
      },
    },
    pace: { canary: 2 },
  });
  await call("resolve", executionId, "refund", "--skip");
  expect(lastRequest("resolve")).toMatchObject({ nodeId: "refund", resolution: { case: "skip", value: true } });
  for (const wrong of [[], ["--skip", "--fail"]]) {
    expect((await call("batch", "create", "resolve", "--all", ...wrong)).exitCode).toBe(EXIT.invalid);
  }
  expect((await call("batch", "create", "resolve", "--skip")).stderr).toContain("--all");
});
