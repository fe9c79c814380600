import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { ExecutionSchema } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { messageJson } from "../message-json.ts";
import { createExecutionView } from "../render/execution-view.ts";
import { renderTree } from "../render/execution-tree.ts";
import { createSigns } from "../render/signs.ts";
import { oneLine } from "../render/text-width.ts";
import { targetOf } from "../target.ts";
import { findExecutionOutline, getExecution } from "../watch-to-end.ts";

/** Shows an execution as it is now: its nodes as a tree, and its output. */
export async function get(context: CommandContext, target: string): Promise<ExitCode> {
  const { io, config } = context;
  const client = await context.client();
  const execution = await getExecution(client, targetOf(context, target), io.signal);
  if (context.json) {
    context.printJson(messageJson(ExecutionSchema, execution));
    return EXIT.ok;
  }
  const outline = await findExecutionOutline(client, execution, io.signal);
  const style = context.style(io.stdout);
  const lines = renderTree(createExecutionView(execution, outline), {
    style,
    signs: createSigns(style, { unicode: config.unicode, turning: false }),
    // A page that is printed once may be as long as it likes; lines are cut for terminals only.
    columns: (io.stdout.isTTY && io.stdout.columns) || Number.MAX_SAFE_INTEGER,
    maxLines: Number.MAX_SAFE_INTEGER,
    nowMs: Date.now(),
    frame: 0,
  });
  for (const line of lines) context.print(line);
  if (execution.workflowKey !== "") context.print(`${style.dim("key")} ${oneLine(execution.workflowKey)}`);
  const attributes = Object.entries(execution.searchAttributes ?? {});
  if (attributes.length > 0) {
    const texts = attributes.map(([name, value]) => `${name}=${oneLine(JSON.stringify(value))}`);
    context.print(`${style.dim("attributes")} ${texts.join(" ")}`);
  }
  if (execution.output !== undefined) {
    context.print(style.dim("output"));
    context.printJson(toJson(ValueSchema, execution.output));
  }
  return EXIT.ok;
}
