import { fromJson, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { RunReason } from "@heddle/proto/heddle/execution/v1/dry_run_pb.js";
import { NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { expect, it } from "vitest";
import { clientOf } from "../../test/client-of.ts";

const ID = "0199aaaa-0000-7000-8000-000000000001";
const KEY = { workflowKey: "order-17" };

it("names an execution by its business key in the namespace of the client, or by its id alone", async () => {
  const seen: unknown[] = [];
  const note = (what: string, { executionId, workflowKey, namespace }: Record<string, unknown>) => {
    seen.push([what, executionId, workflowKey, namespace]);
    return { execution: { executionId: ID } };
  };
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      getExecution: (request) => note("get", { ...request }),
      cancelExecution: (request) => note("cancel", { ...request }),
      terminateExecution: (request) => note("terminate", { ...request }),
      suspendExecution: (request) => note("suspend", { ...request }),
      resumeExecution: (request) => note("resume", { ...request }),
      signalExecution: (request) => note("signal", { ...request }),
      queryExecution(request) {
        note("query", { ...request });
        return { output: fromJson(ValueSchema, 1) };
      },
      updateExecution(request) {
        note("update", { ...request });
        return { executionId: ID, requestId: request.requestId };
      },
    }),
  );
  await client.get(KEY);
  await client.cancel(KEY);
  await client.terminate(KEY);
  await client.suspend(KEY);
  await client.resume(KEY);
  await client.signal(KEY, "paid");
  await client.query(KEY, "vars");
  await expect(client.update(KEY, "add")).rejects.toMatchObject({ update: { executionId: ID } });
  await client.get(ID);
  const byKey = ["get", "cancel", "terminate", "suspend", "resume", "signal", "query", "update"];
  expect(seen).toEqual([...byKey.map((what) => [what, "", "order-17", "sales"]), ["get", ID, "", ""]]);
});

it("sends a signal with a start", async () => {
  const seen: unknown[] = [];
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      startExecution({ signal }) {
        const { name, key, payload, requestId } = signal!;
        seen.push([name, key, toJson(ValueSchema, payload!), requestId]);
        return { execution: { executionId: ID } };
      },
    }),
  );
  await client.start({ workflowId: "basket", ...KEY, signal: { name: "add", key: "k", payload: { n: 1 } } });
  await client.start({ workflowId: "basket", ...KEY, signal: { name: "add", requestId: "r" } });
  expect(seen).toEqual([
    ["add", "k", { n: 1 }, ""],
    ["add", "", null, "r"],
  ]);
});

it("says what a rerun and a reset would do", async () => {
  const nodes = [
    { nodeId: "a", status: NodeStatus.COMPLETED, recordedCompensations: 1 },
    { nodeId: "b", status: NodeStatus.WAITING, reason: RunReason.NAMED, beginsAtOnce: true, stoppedChildIds: ["c"] },
    { nodeId: "m", reason: RunReason.AFTER, becauseOfNodeId: "b", items: { count: 3, kept: 2, stopped: 1 } },
  ];
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      rerunExecution: ({ dryRun, fromFailed }) => ({
        dryRun: { nodes: dryRun && fromFailed ? nodes : [], fromNodeIds: ["b"], version: 2, keptVars: ["v"] },
      }),
      resetExecution: ({ dryRun, fromNodeIds }) => ({ dryRun: { nodes: dryRun ? nodes : [], fromNodeIds } }),
    }),
  );
  const rerun = await client.dryRunRerun(ID, { failed: true });
  expect(rerun).toEqual({
    from: ["b"],
    version: 2,
    keptVars: ["v"],
    nodes: [
      { nodeId: "a", status: "completed", beginsAtOnce: false, stoppedChildIds: [], recordedCompensations: 1 },
      {
        nodeId: "b",
        reason: "named",
        status: "waiting",
        beginsAtOnce: true,
        stoppedChildIds: ["c"],
        recordedCompensations: 0,
      },
      {
        nodeId: "m",
        reason: "after",
        becauseOf: "b",
        beginsAtOnce: false,
        stoppedChildIds: [],
        items: { count: 3, kept: 2, stopped: 1 },
        recordedCompensations: 0,
      },
    ],
  });
  expect(await client.dryRunReset(ID, ["b"])).toEqual({ ...rerun, version: undefined, keptVars: [] });
});
