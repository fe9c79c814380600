import { type Execution, ExecutionSchema } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { messageJson } from "../message-json.ts";
import { paintStatus } from "../render/names.ts";

export interface ControlOptions {
  reason?: string;
}

/** Ends an execution and its children as canceled. */
export async function cancel(context: CommandContext, executionId: string, options: ControlOptions): Promise<ExitCode> {
  const { executions } = await context.client();
  const request = { executionId, reason: options.reason };
  return show(context, (await executions.cancelExecution(request, { signal: context.io.signal })).execution);
}

/** Ends an execution and its children at once: nothing is undone, and `finally` does not run. */
export async function terminate(
  context: CommandContext,
  executionId: string,
  options: ControlOptions,
): Promise<ExitCode> {
  const { executions } = await context.client();
  const request = { executionId, reason: options.reason };
  return show(context, (await executions.terminateExecution(request, { signal: context.io.signal })).execution);
}

/** Stops scheduling: what runs may finish. */
export async function suspend(
  context: CommandContext,
  executionId: string,
  options: ControlOptions,
): Promise<ExitCode> {
  const { executions } = await context.client();
  const request = { executionId, reason: options.reason };
  return show(context, (await executions.suspendExecution(request, { signal: context.io.signal })).execution);
}

/** Goes on with a suspended execution. */
export async function resume(context: CommandContext, executionId: string, options: ControlOptions): Promise<ExitCode> {
  const { executions } = await context.client();
  const request = { executionId, reason: options.reason };
  return show(context, (await executions.resumeExecution(request, { signal: context.io.signal })).execution);
}

/** What must still happen before it ends. */
function describeEnding({ ending }: Execution): string {
  if (ending === undefined) return "";
  const { stepsToUndo, awaitedChildIds } = ending;
  const parts = [
    ...(awaitedChildIds.length > 0 ? [`${awaitedChildIds.length} children to end`] : []),
    ...(stepsToUndo.length > 0 ? [`${stepsToUndo.length} steps to undo`] : []),
  ];
  return ["  ending", ...parts].join(", ").replace(", ", ": ");
}

/** The execution after a change, in a line. */
export function show(context: CommandContext, execution: Execution | undefined): ExitCode {
  if (execution === undefined) throw new Error("the server answered without an execution");
  if (context.json) context.printJson(messageJson(ExecutionSchema, execution));
  else {
    const status = paintStatus(execution.status, context.style(context.io.stdout));
    context.print(`${execution.executionId}  ${status}${describeEnding(execution)}`);
  }
  return EXIT.ok;
}
