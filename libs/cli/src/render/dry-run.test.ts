import { create } from "@bufbuild/protobuf";
import { DryRunSchema, RunReason } from "@heddle/proto/heddle/execution/v1/dry_run_pb.js";
import { NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { expect, it } from "vitest";
import { renderDryRun } from "./dry-run.ts";
import { noColors } from "./style.ts";

it("says of each node what it would do and why, and what that stops", () => {
  const dryRun = create(DryRunSchema, {
    version: 2,
    keptVars: ["seen"],
    nodes: [
      { nodeId: "fetch", status: NodeStatus.COMPLETED, recordedCompensations: 1 },
      {
        nodeId: "each",
        status: NodeStatus.COMPLETED,
        reason: RunReason.FAILED,
        beginsAtOnce: true,
        items: { count: 3, kept: 2 },
      },
      {
        nodeId: "price",
        status: NodeStatus.SCHEDULED,
        reason: RunReason.AFTER,
        becauseOfNodeId: "each",
        stoppedAttempt: 4,
      },
      { nodeId: "new", reason: RunReason.REDEFINED, recordedCompensations: 2 },
    ],
  });
  expect(renderDryRun(dryRun, noColors)).toEqual([
    "NODE   NOW        WOULD        WHY",
    "fetch  completed  be kept",
    "each   completed  run at once  failed; 2 of 3 items kept",
    "price  scheduled  run again    after each; attempt 4 taken back",
    "new    -          run again    defined otherwise; done 2 times, and not undone",
    "3 of 4 nodes run again, 1 are kept, in version 2",
    "variables that are kept: seen",
  ]);
});

it("has words for every reason", () => {
  const reasons = Object.values(RunReason).filter((reason) => typeof reason === "number");
  const nodes = reasons.map((reason) => ({ nodeId: "n", reason, becauseOfNodeId: "other" }));
  const lines = renderDryRun(create(DryRunSchema, { nodes }), noColors).slice(1, -1);
  expect(new Set(lines).size).toBe(reasons.length);
  for (const reason of reasons) expect(lines.join("\n")).not.toContain(RunReason[reason]);
});
