import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { NodeExecutionSchema } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { ListIncidentsRequestSchema } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { type Incident, IncidentSchema } from "@heddle/proto/heddle/execution/v1/incident_pb.js";
import { CliError } from "../cli-error.ts";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { listDefaultLimit, pageSize } from "../limits.ts";
import { messageJson } from "../message-json.ts";
import { failureText } from "../render/describe-event.ts";
import { formatDuration } from "../render/duration.ts";
import { toMs } from "../render/execution-view.ts";
import { renderTable } from "../render/table.ts";
import { oneLine, truncate } from "../render/text-width.ts";
import { readResolution, type ResolutionOptions } from "../resolution.ts";
import { show } from "./control.ts";

export interface IncidentListOptions {
  workflow?: string;
  failureType?: string;
  node?: string;
  parent?: string;
  /** Milliseconds since the epoch. */
  openedAfter?: number;
  /** Milliseconds since the epoch. */
  openedBefore?: number;
  limit?: number;
}

/** Cells of a failure in a list. */
const FAILURE_COLUMNS = 60;

/** Lists nodes that have failed and wait for a person: of one execution, or of all. */
export async function incidents(
  context: CommandContext,
  executionId: string | undefined,
  options: IncidentListOptions,
): Promise<ExitCode> {
  if (executionId === undefined) return await listAll(context, options);
  const { workflow, failureType, node, parent, openedAfter, openedBefore, limit } = options;
  const filters = [workflow, failureType, node, parent, openedAfter, openedBefore, limit];
  if (filters.some((value) => value !== undefined)) {
    throw new CliError("the options are for the incidents of all executions: leave them out, or the id", {
      exitCode: EXIT.invalid,
    });
  }
  return await listOf(context, executionId);
}

async function listOf(context: CommandContext, executionId: string): Promise<ExitCode> {
  const { executions } = await context.client();
  const { execution } = await executions.getExecution({ executionId }, { signal: context.io.signal });
  const nodes = (execution?.nodes ?? []).filter(({ incident }) => incident);
  if (context.json) context.printJson(nodes.map((node) => messageJson(NodeExecutionSchema, node)));
  else if (nodes.length === 0) context.print("no node waits with an incident");
  else for (const { nodeId, failure } of nodes) context.print(`${nodeId}  ${failureText(failure)}`);
  return EXIT.ok;
}

/** Those that wait longest first. */
async function listAll(context: CommandContext, options: IncidentListOptions): Promise<ExitCode> {
  const limit = options.limit ?? listDefaultLimit;
  const { found, more } = await readIncidents(context, options, limit);
  if (context.json) {
    context.printJson({ incidents: found.map((incident) => messageJson(IncidentSchema, incident)), more });
    return EXIT.ok;
  }
  if (found.length === 0) {
    context.say(`no incident in namespace ${context.namespace} fits`);
    return EXIT.ok;
  }
  const style = context.style(context.io.stdout);
  const now = Date.now();
  const lines = renderTable<Incident>(
    found,
    [
      { title: "EXECUTION", cell: ({ executionId }) => executionId },
      { title: "WORKFLOW", cell: ({ workflowId, version }) => `${oneLine(workflowId)} v${version}` },
      { title: "NODE", cell: nodeText },
      { title: "FAILURE", cell: ({ failure }) => truncate(oneLine(failureText(failure)), FAILURE_COLUMNS) },
      { title: "ATTEMPTS", cell: ({ attempts }) => String(attempts), align: "right" },
      { title: "AGE", cell: ({ openedAt }) => formatDuration(now - (toMs(openedAt) ?? now)), align: "right" },
    ],
    style.dim,
  );
  for (const line of lines) context.print(line);
  if (more) context.say(`there are more: --limit ${limit * 5}`);
  return EXIT.ok;
}

/** With the turns of the loops around it, the outermost first, and the item of a map that its execution is. */
function nodeText({ nodeId, turns, parent }: Incident): string {
  const item = parent?.nodeId.endsWith("]") ? ` of ${parent.nodeId}` : "";
  return `${nodeId}${turns.length === 0 ? "" : ` turn ${turns.map(({ turn }) => turn).join(".")}`}${item}`;
}

async function readIncidents(
  context: CommandContext,
  { workflow, failureType, node, parent, openedAfter, openedBefore }: IncidentListOptions,
  limit: number,
): Promise<{ found: Incident[]; more: boolean }> {
  const { executions } = await context.client();
  const filter: MessageInitShape<typeof ListIncidentsRequestSchema> = {
    namespace: context.namespace,
    workflowId: workflow,
    failureType,
    nodeId: node,
    parentExecutionId: parent,
    openedAfter: openedAfter === undefined ? undefined : timestampFromMs(openedAfter),
    openedBefore: openedBefore === undefined ? undefined : timestampFromMs(openedBefore),
  };
  const found: Incident[] = [];
  let pageToken = "";
  do {
    const request = { ...filter, pageSize: Math.min(pageSize, limit - found.length), pageToken };
    const page = await executions.listIncidents(request, { signal: context.io.signal });
    found.push(...page.incidents);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && found.length < limit);
  return { found, more: pageToken !== "" };
}

/** Says how to go on with such a node. */
export async function resolve(
  context: CommandContext,
  executionId: string,
  nodeId: string,
  options: ResolutionOptions & { reason?: string },
): Promise<ExitCode> {
  const resolution = await readResolution(context, options);
  const { executions } = await context.client();
  const request = { executionId, nodeId, resolution, reason: options.reason };
  return show(context, (await executions.resolveIncident(request, { signal: context.io.signal })).execution);
}
