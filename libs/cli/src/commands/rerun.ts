import type { JsonObject } from "@bufbuild/protobuf";
import { type DryRun, DryRunSchema } from "@heddle/proto/heddle/execution/v1/dry_run_pb.js";
import type { Execution } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { CliError } from "../cli-error.ts";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { messageJson } from "../message-json.ts";
import { renderDryRun } from "../render/dry-run.ts";
import { oneLine } from "../render/text-width.ts";
import { show } from "./control.ts";
import { type FollowOptions, followStarted, type InputOptions, readInput } from "./run.ts";

export interface RerunOptions extends FollowOptions {
  from?: string[];
  failed?: boolean;
  dryRun?: boolean;
  workflowVersion?: number;
  requestId?: string;
}

export interface ForkOptions extends FollowOptions, InputOptions {
  from?: string[];
  dryRun?: boolean;
  workflowVersion?: number;
  requestId?: string;
}

export interface ResetOptions {
  from: string[];
  dryRun?: boolean;
  reason?: string;
  requestId?: string;
}

interface Rerun {
  fromNodeIds: string[];
  fromFailed?: boolean;
  fromChanged?: boolean;
  input?: JsonObject;
}

/** Runs an execution again as a new one: from its start, from what has failed, or from some nodes on. */
export async function rerun(context: CommandContext, executionId: string, options: RerunOptions): Promise<ExitCode> {
  const { from = [], failed = false } = options;
  return await start(context, executionId, { fromNodeIds: from, fromFailed: failed }, options);
}

/** Runs an execution again with another input, or another version, and keeps what does not depend on what differs. */
export async function fork(context: CommandContext, executionId: string, options: ForkOptions): Promise<ExitCode> {
  const { from = [], workflowVersion } = options;
  const input = await readInput(context, options);
  if (input === undefined && workflowVersion === undefined) {
    throw new CliError("a fork differs in its input or its version", {
      hint: "give --input, --input-file or --workflow-version; heddle rerun runs the same once more",
    });
  }
  const request = { fromNodeIds: from, fromChanged: from.length === 0, input };
  return await start(context, executionId, request, options);
}

/** Begins nodes of an execution that goes on afresh, and everything after them. */
export async function reset(context: CommandContext, executionId: string, options: ResetOptions): Promise<ExitCode> {
  const { executions } = await context.client();
  const { from: fromNodeIds, reason, requestId, dryRun } = options;
  const request = { executionId, fromNodeIds, reason, requestId, dryRun };
  const answer = await executions.resetExecution(request, { signal: context.io.signal });
  return answer.dryRun === undefined ? show(context, answer.execution) : showDryRun(context, answer.dryRun);
}

async function start(
  context: CommandContext,
  executionId: string,
  rerun: Rerun,
  options: FollowOptions & { workflowVersion?: number; requestId?: string; dryRun?: boolean },
): Promise<ExitCode> {
  const { executions } = await context.client();
  const { requestId, workflowVersion: version, dryRun: isDry } = options;
  const request = { executionId, ...rerun, version, requestId, dryRun: isDry };
  const { execution, created, dryRun } = await executions.rerunExecution(request, { signal: context.io.signal });
  if (dryRun !== undefined) return showDryRun(context, dryRun);
  if (execution === undefined) throw new Error("the server answered RerunExecution without an execution");
  if (!created) context.say(`the request id ${requestId ?? ""} was used before: this is the execution that it started`);
  context.say(describeReuse(execution));
  return await followStarted(context, execution, options);
}

function showDryRun(context: CommandContext, dryRun: DryRun): ExitCode {
  if (context.json) context.printJson(messageJson(DryRunSchema, dryRun));
  else for (const line of renderDryRun(dryRun, context.style(context.io.stdout))) context.print(line);
  context.say("nothing has changed; without --dry-run it is done");
  return EXIT.ok;
}

function describeReuse({ nodes, rerunOf }: Execution): string {
  const kept = nodes.filter(({ reused }) => reused).length;
  const from = rerunOf?.fromNodeIds ?? [];
  const where = from.length === 0 ? "" : ` from ${from.map(oneLine).join(", ")}`;
  return `runs again${where}; keeps ${kept} of ${nodes.length} nodes`;
}
