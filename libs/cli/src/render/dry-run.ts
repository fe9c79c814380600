import { type DryRun, type NodeDryRun, RunReason } from "@heddle/proto/heddle/execution/v1/dry_run_pb.js";
import { nodeStatusName } from "./names.ts";
import type { Style } from "./style.ts";
import { renderTable } from "./table.ts";
import { oneLine } from "./text-width.ts";

/** What a rerun or a reset would come to: a line for each node, and a sum. */
export function renderDryRun({ nodes, keptVars, version }: DryRun, style: Style): string[] {
  const running = nodes.filter(isRunning).length;
  return [
    ...renderTable<NodeDryRun>(
      nodes,
      [
        { title: "NODE", cell: ({ nodeId }) => oneLine(nodeId) },
        { title: "NOW", cell: ({ status }) => (status === 0 ? "-" : nodeStatusName(status)) },
        { title: "WOULD", cell: (node) => (isRunning(node) ? style.cyan(describeRun(node)) : style.dim("be kept")) },
        { title: "WHY", cell: (node) => [...describeReason(node), ...describeEffects(node)].join("; ") },
      ],
      style.dim,
    ),
    `${running} of ${nodes.length} nodes run again, ${nodes.length - running} are kept${version === 0 ? "" : `, in version ${version}`}`,
    ...(keptVars.length > 0 ? [`variables that are kept: ${keptVars.map(oneLine).join(", ")}`] : []),
  ];
}

function isRunning({ reason }: NodeDryRun): boolean {
  return reason !== RunReason.UNSPECIFIED;
}

function describeRun({ beginsAtOnce }: NodeDryRun): string {
  return beginsAtOnce ? "run at once" : "run again";
}

function describeReason({ reason, becauseOfNodeId }: NodeDryRun): string[] {
  const other = oneLine(becauseOfNodeId);
  switch (reason) {
    case RunReason.UNSPECIFIED:
      return [];
    case RunReason.START:
      return ["from the start"];
    case RunReason.NAMED:
      return ["named"];
    case RunReason.FAILED:
      return ["failed"];
    case RunReason.UNDONE:
      return ["was undone"];
    case RunReason.REDEFINED:
      return ["defined otherwise"];
    case RunReason.READS_CHANGED:
      return ["reads what differs"];
    case RunReason.NOT_ENDED:
      return ["has not ended by itself"];
    case RunReason.AFTER:
      return [`after ${other}`];
    case RunReason.INSIDE:
      return [`in ${other}`];
    case RunReason.AWAITS:
      return [`holds ${other}`];
    default:
      return [RunReason[reason] ?? String(reason)];
  }
}

function describeEffects(node: NodeDryRun): string[] {
  const { items, stoppedAttempt, stoppedChildIds, stoppedMachineId, recordedCompensations } = node;
  const children = stoppedChildIds.length;
  return [
    ...(items !== undefined && isRunning(node) ? [`${items.kept} of ${items.count} items kept`] : []),
    ...(items !== undefined && items.stopped > 0
      ? [`${items.stopped} items stopped`]
      : children > 0
        ? [`stops ${stoppedChildIds.map(oneLine).join(", ")}`]
        : []),
    ...(stoppedAttempt > 0 ? [`attempt ${stoppedAttempt} taken back`] : []),
    ...(stoppedMachineId === "" ? [] : [`stops machine ${oneLine(stoppedMachineId)}`]),
    ...(recordedCompensations > 0 && isRunning(node) ? [`done ${recordedCompensations} times, and not undone`] : []),
  ];
}
