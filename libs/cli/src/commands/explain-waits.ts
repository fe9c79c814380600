import { type NodeExecution, NodeExecutionSchema, NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { CommandContext } from "../context.ts";
import { messageJson } from "../message-json.ts";
import { keyText } from "../render/describe-event.ts";
import { toMs } from "../render/execution-view.ts";
import { oneLine } from "../render/text-width.ts";

/** Nodes of an execution, or the one that is named, that wait for a signal, an event, a time, a child or a machine. */
export async function findWaits(context: CommandContext, executionId: string, id: string): Promise<NodeExecution[]> {
  const { executions } = await context.client();
  const { execution } = await executions.getExecution({ executionId }, { signal: context.io.signal });
  return (execution?.nodes ?? []).filter(
    (node) =>
      (node.status === NodeStatus.WAITING || node.status === NodeStatus.BACKING_OFF) &&
      describeWait(node) !== undefined &&
      (id === executionId || id.startsWith(`${executionId}/${node.nodeId}`)),
  );
}

export function waitsJson(nodes: readonly NodeExecution[]): unknown[] {
  return nodes.map((node) => messageJson(NodeExecutionSchema, node));
}

export function printWaits(context: CommandContext, executionId: string, nodes: readonly NodeExecution[]): void {
  const style = context.style(context.io.stdout);
  for (const node of nodes) {
    const [what, how] = describeWait(node) ?? ["", ""];
    context.print(style.bold(`${executionId}/${oneLine(node.nodeId)}`));
    context.print(`  ${style.yellow(what)}: ${how}`);
  }
}

/** What it waits for, and until when. Undefined: for other nodes of the execution. */
function describeWait(node: NodeExecution): [what: string, how: string] | undefined {
  const { status, signal, event, signalKey, childId, machineId, attempt } = node;
  const dueAt = toMs(node.dueAt);
  const until = dueAt === undefined ? "" : `, until ${new Date(dueAt).toISOString()}`;
  if (status === NodeStatus.BACKING_OFF) return ["back-off", `attempt ${attempt} has failed${until}`];
  if (signal !== "") return ["signal", `waits for ${oneLine(signal)}${keyText(signalKey)}${until}`];
  if (event !== "") return ["event", `waits for ${oneLine(event)}${keyText(signalKey)}${until}`];
  if (childId !== "") return ["child", `waits for execution ${childId}`];
  if (machineId !== "") return ["machine", `waits for state machine ${machineId}`];
  return dueAt === undefined ? undefined : ["time", `waits${until}`.replace("waits, ", "waits ")];
}
