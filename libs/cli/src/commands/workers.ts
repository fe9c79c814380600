import { type Worker, WorkerSchema, WorkerStatus } from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { pageSize } from "../limits.ts";
import { messageJson } from "../message-json.ts";
import { renderTable } from "../render/table.ts";
import { oneLine, truncate } from "../render/text-width.ts";

/** Cells that the capabilities of a worker take in the table. */
const CAPABILITY_COLUMNS = 60;

/** Lists the workers of the namespace with what they run and how busy they are. */
export async function workers(context: CommandContext): Promise<ExitCode> {
  const found = await readWorkers(context);
  if (context.json) {
    context.printJson({ workers: found.map((worker) => messageJson(WorkerSchema, worker)) });
    return EXIT.ok;
  }
  if (found.length === 0) {
    context.say(`no worker is connected to namespace ${context.namespace}`);
    return EXIT.ok;
  }
  const style = context.style(context.io.stdout);
  const lines = renderTable<Worker>(
    found,
    [
      { title: "WORKER", cell: ({ workerId }) => oneLine(workerId) },
      { title: "STATUS", cell: ({ status }) => (WorkerStatus[status] ?? "unknown").toLowerCase() },
      { title: "BUSY", cell: ({ running, slots }) => `${running}/${slots}`, align: "right" },
      { title: "DONE", cell: ({ completed }) => String(completed), align: "right" },
      { title: "CLIENT", cell: ({ client }) => oneLine(client) },
      { title: "RUNS", cell: ({ capabilities }) => truncate(oneLine(capabilities.join(" ")), CAPABILITY_COLUMNS) },
    ],
    style.dim,
  );
  for (const line of lines) context.print(line);
  return EXIT.ok;
}

async function readWorkers({ client, io, namespace }: CommandContext): Promise<Worker[]> {
  const { scheduler } = await client();
  const found: Worker[] = [];
  let pageToken = "";
  do {
    const page = await scheduler.listWorkers({ namespace, pageSize, pageToken }, { signal: io.signal });
    found.push(...page.workers);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return found;
}
