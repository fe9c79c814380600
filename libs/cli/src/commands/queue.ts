import { type Queue, QueueSchema } from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { messageJson } from "../message-json.ts";
import { formatDuration } from "../render/duration.ts";
import { toMs } from "../render/execution-view.ts";
import { renderTable } from "../render/table.ts";
import { oneLine } from "../render/text-width.ts";

export interface QueueOptions {
  type?: "tool" | "agent";
  name?: string;
}

/** Says for each tool and agent what waits, what runs, and whether anybody could run it. */
export async function queue(context: CommandContext, options: QueueOptions): Promise<ExitCode> {
  const { scheduler } = await context.client();
  const type = { tool: TaskType.TOOL, agent: TaskType.AGENT, any: TaskType.UNSPECIFIED }[options.type ?? "any"];
  const request = { namespace: context.namespace, type, name: options.name };
  const { queues } = await scheduler.describeQueue(request, { signal: context.io.signal });
  if (context.json) {
    context.printJson({ queues: queues.map((entry) => messageJson(QueueSchema, entry)) });
    return EXIT.ok;
  }
  if (queues.length === 0) {
    context.say(`no tasks and no workers in namespace ${context.namespace}`);
    return EXIT.ok;
  }
  const style = context.style(context.io.stdout);
  const now = Date.now();
  const lines = renderTable<Queue>(
    queues,
    [
      { title: "TASKS FOR", cell: ({ type: kind, name }) => `${TaskType[kind]?.toLowerCase()}:${oneLine(name)}` },
      { title: "WAITING", cell: ({ waiting }) => String(waiting), align: "right" },
      { title: "RUNNING", cell: ({ running }) => String(running), align: "right" },
      { title: "FREE SLOTS", cell: ({ freeSlots }) => String(freeSlots), align: "right" },
      {
        title: "WORKERS",
        cell: ({ workers, waiting }) => (workers === 0 && waiting > 0n ? style.red("none") : String(workers)),
        align: "right",
      },
      {
        title: "OLDEST",
        cell: ({ oldestScheduledAt }) =>
          oldestScheduledAt === undefined ? "-" : formatDuration(now - (toMs(oldestScheduledAt) ?? now)),
        align: "right",
      },
    ],
    style.dim,
  );
  for (const line of lines) context.print(line);
  return EXIT.ok;
}
