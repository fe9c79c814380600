import { ExplainWaitResponseSchema, WaitReasonKind } from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { messageJson } from "../message-json.ts";

/** Says why a task, or the first waiting task of an execution, does not run yet. */
export async function explain(context: CommandContext, taskId: string): Promise<ExitCode> {
  const { scheduler } = await context.client();
  const response = await scheduler.explainWait({ taskId }, { signal: context.io.signal });
  if (context.json) {
    context.printJson(messageJson(ExplainWaitResponseSchema, response));
    return EXIT.ok;
  }
  const style = context.style(context.io.stdout);
  context.print(style.bold(response.taskId));
  if (response.running) context.print("  is with a worker; it does not wait");
  else if (response.reasons.length === 0) context.print("  is next: nothing holds it up");
  for (const { kind, message } of response.reasons) {
    const name = (WaitReasonKind[kind] ?? "unknown").toLowerCase().replaceAll("_", " ");
    context.print(`  ${style.yellow(name)}: ${message}`);
  }
  if (response.rank > 0n) context.print(style.dim(`  place in the queue: ${response.rank}`));
  return EXIT.ok;
}
