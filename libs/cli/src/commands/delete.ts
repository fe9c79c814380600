import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";

/** Deletes an execution that has ended, with its history. */
export async function deleteExecution(context: CommandContext, executionId: string): Promise<ExitCode> {
  const { executions } = await context.client();
  await executions.deleteExecution({ executionId }, { signal: context.io.signal });
  if (context.json) context.printJson({ executionId });
  else context.say(`deleted ${executionId}`);
  return EXIT.ok;
}
