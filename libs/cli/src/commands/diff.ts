import { toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import {
  type Execution,
  type NodeExecution,
  NodeExecutionSchema,
} from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { messageJson } from "../message-json.ts";
import { compareExecutions, describeState, type NodeDifference } from "../render/compare-executions.ts";
import { oneLine, truncate } from "../render/text-width.ts";

/** Cells of a value that a line shows. */
const VALUE_COLUMNS = 160;

/** Says in which nodes two executions differ, and in what. */
export async function diff(context: CommandContext, beforeId: string, afterId: string): Promise<ExitCode> {
  const before = await get(context, beforeId);
  const after = await get(context, afterId);
  const differences = compareExecutions(before, after);
  if (context.json) {
    context.printJson({
      nodes: differences.map(({ nodeId, differs, before: old, after: now }) => ({
        node_id: nodeId,
        differs,
        before: old === undefined ? null : messageJson(NodeExecutionSchema, old),
        after: now === undefined ? null : messageJson(NodeExecutionSchema, now),
      })),
    });
    return EXIT.ok;
  }
  for (const difference of differences) for (const line of renderDifference(context, difference)) context.print(line);
  const same = after.nodes.length - differences.filter((one) => one.after !== undefined).length;
  context.say(`${differences.length} nodes differ, ${same} do not`);
  return EXIT.ok;
}

async function get(context: CommandContext, executionId: string): Promise<Execution> {
  const { executions } = await context.client();
  const { execution } = await executions.getExecution({ executionId }, { signal: context.io.signal });
  if (execution === undefined) throw new Error("the server answered GetExecution without an execution");
  return execution;
}

function renderDifference(context: CommandContext, { nodeId, differs, before, after }: NodeDifference): string[] {
  const style = context.style(context.io.stdout);
  const pair = (name: string, of: (node: NodeExecution) => string): string[] => [
    `  ${name}`,
    ...(before === undefined ? [] : [style.red(`  - ${truncate(oneLine(of(before)), VALUE_COLUMNS)}`)]),
    ...(after === undefined ? [] : [style.green(`  + ${truncate(oneLine(of(after)), VALUE_COLUMNS)}`)]),
  ];
  return [
    `${style.bold(oneLine(nodeId))}  ${describeState(before)} → ${describeState(after)}`,
    ...(differs.includes("input") ? pair("input", ({ input }) => textOf(input)) : []),
    ...(differs.includes("output") ? pair("output", ({ output }) => textOf(output)) : []),
    ...(differs.includes("failure")
      ? pair("failure", ({ failure }) => (failure === undefined ? "none" : `${failure.type}: ${failure.message}`))
      : []),
  ];
}

function textOf(value: Value | undefined): string {
  return value === undefined ? "none" : JSON.stringify(toJson(ValueSchema, value));
}
