import { ExecutionSchema } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { CommandContext } from "../context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { messageJson } from "../message-json.ts";
import { exitCodeOf, reportResult } from "../report-result.ts";
import { printLine, watchToEnd } from "../watch-to-end.ts";

/** Shows an execution live until it has ended. */
export async function watch(
  context: CommandContext,
  executionId: string,
  options: { timeout?: number },
): Promise<ExitCode> {
  const stream = context.json ? undefined : context.io.stdout;
  const ended = await watchToEnd(context, { executionId, stream, timeoutMs: options.timeout });
  if (!context.json) return reportResult(context, ended);
  printLine(context, { execution: messageJson(ExecutionSchema, ended) });
  return exitCodeOf(ended.status);
}
