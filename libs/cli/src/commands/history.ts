import { type ExecutionEvent, ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { listMaxLimit, pageSize } from "../limits.ts";
import { messageJson } from "../message-json.ts";
import { renderEventLine } from "../render/describe-event.ts";
import { toMs } from "../render/execution-view.ts";
import { truncate } from "../render/text-width.ts";

/** Prints every event of an execution, first to last. */
export async function history(
  context: CommandContext,
  executionId: string,
  options: { limit?: number },
): Promise<ExitCode> {
  const events: ExecutionEvent[] = [];
  const { io } = context;
  const limit = options.limit ?? listMaxLimit;
  const style = context.style(io.stdout);
  const columns = (io.stdout.isTTY && io.stdout.columns) || Number.MAX_SAFE_INTEGER;
  let startedAtMs: number | undefined;
  let count = 0;
  let more = false;
  for await (const event of readHistory(context, executionId)) {
    more = count === limit;
    if (more) break;
    count += 1;
    if (context.json) events.push(event);
    startedAtMs ??= toMs(event.occurredAt) ?? 0;
    const line = `${style.dim(String(event.seq).padStart(5))}  ${renderEventLine(event, { startedAtMs, style })}`;
    if (!context.json) context.print(truncate(line, columns));
  }
  if (context.json) {
    context.printJson({ events: events.map((event) => messageJson(ExecutionEventSchema, event)), more });
  }
  if (more) context.say(`there are more: --limit ${limit * 5}`);
  return EXIT.ok;
}

export async function* readHistory(context: CommandContext, executionId: string): AsyncGenerator<ExecutionEvent, void> {
  const { executions } = await context.client();
  let pageToken = "";
  do {
    const request = { executionId, pageSize, pageToken };
    const page = await executions.listHistory(request, { signal: context.io.signal });
    yield* page.events;
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}
