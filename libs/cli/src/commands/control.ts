import { type Execution, ExecutionSchema } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { messageJson } from "../message-json.ts";
import { paintStatus } from "../render/names.ts";
import { targetOf } from "../target.ts";

export interface ControlOptions {
  reason?: string;
}

type Control = (context: CommandContext, target: string, options: ControlOptions) => Promise<ExitCode>;

/** Ends an execution and its children as canceled. */
export const cancel = createControl("cancelExecution");
/** Ends an execution and its children at once: nothing is undone, and `finally` does not run. */
export const terminate = createControl("terminateExecution");
/** Stops scheduling: what runs may finish. */
export const suspend = createControl("suspendExecution");
/** Goes on with a suspended execution. */
export const resume = createControl("resumeExecution");

function createControl(
  method: "cancelExecution" | "terminateExecution" | "suspendExecution" | "resumeExecution",
): Control {
  return async (context, target, { reason }) => {
    const { executions } = await context.client();
    const request = { ...targetOf(context, target), reason };
    const { execution } = await executions[method](request, { signal: context.io.signal });
    return show(context, execution);
  };
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
