import {
  type Execution,
  ExecutionSchema,
  type ExecutionStatus,
} from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { CommandContext } from "../context.ts";
import type { AttributeCondition } from "../attribute-condition.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { listDefaultLimit, pageSize } from "../limits.ts";
import { messageJson } from "../message-json.ts";
import { formatDuration } from "../render/duration.ts";
import { toMs } from "../render/execution-view.ts";
import { paintStatus } from "../render/names.ts";
import type { Style } from "../render/style.ts";
import { renderTable } from "../render/table.ts";
import { oneLine } from "../render/text-width.ts";

export interface ListOptions {
  workflow?: string;
  status?: ExecutionStatus;
  label?: Record<string, string>;
  parent?: string;
  key?: string;
  where?: AttributeCondition[];
  hasIncidents?: boolean;
  limit?: number;
}

/** Lists executions, newest first. */
export async function list(context: CommandContext, options: ListOptions): Promise<ExitCode> {
  const limit = options.limit ?? listDefaultLimit;
  const { executions, more } = await readExecutions(context, options, limit);
  if (context.json) {
    context.printJson({ executions: executions.map((execution) => messageJson(ExecutionSchema, execution)), more });
    return EXIT.ok;
  }
  if (executions.length === 0) {
    context.say(`no execution in namespace ${context.namespace} fits`);
    return EXIT.ok;
  }
  const style = context.style(context.io.stdout);
  const now = Date.now();
  const lines = renderTable<Execution>(
    executions,
    [
      { title: "EXECUTION", cell: ({ executionId }) => executionId },
      { title: "WORKFLOW", cell: ({ workflowId, version }) => `${oneLine(workflowId)} v${version}` },
      { title: "STATUS", cell: (execution) => statusText(execution, style) },
      { title: "STARTED", cell: ({ startedAt }) => startedText(toMs(startedAt) ?? 0, now) },
      {
        title: "TOOK",
        cell: ({ startedAt, endedAt }) => formatDuration((toMs(endedAt) ?? now) - (toMs(startedAt) ?? now)),
        align: "right",
      },
    ],
    style.dim,
  );
  for (const line of lines) context.print(line);
  if (more) context.say(`there are more: --limit ${limit * 5}`);
  return EXIT.ok;
}

async function readExecutions(
  context: CommandContext,
  { workflow, status, label, parent, key, where, hasIncidents }: ListOptions,
  limit: number,
): Promise<{ executions: Execution[]; more: boolean }> {
  const client = await context.client();
  const executions: Execution[] = [];
  let pageToken = "";
  do {
    const page = await client.executions.listExecutions(
      {
        namespace: context.namespace,
        workflowId: workflow,
        status,
        labels: label,
        parentExecutionId: parent,
        workflowKey: key,
        attributes: where,
        hasIncidents,
        pageSize: Math.min(pageSize, limit - executions.length),
        pageToken,
      },
      { signal: context.io.signal },
    );
    executions.push(...page.executions);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && executions.length < limit);
  return { executions, more: pageToken !== "" };
}

function statusText({ status, openIncidents }: Execution, style: Style): string {
  const painted = paintStatus(status, style);
  if (openIncidents === 0) return painted;
  return `${painted}, ${style.red(`${openIncidents} ${openIncidents === 1 ? "incident" : "incidents"}`)}`;
}

/** How long ago for the last day, else the date. */
function startedText(startedAtMs: number, now: number): string {
  const ago = now - startedAtMs;
  return ago < 86_400_000
    ? `${formatDuration(ago)} ago`
    : new Date(startedAtMs).toISOString().slice(0, 16).replace("T", " ");
}
