import type { JsonObject } from "@bufbuild/protobuf";
import type { Execution } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { CliError } from "../cli-error.ts";
import type { CommandContext } from "../context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { oneLine } from "../render/text-width.ts";
import { show } from "./control.ts";
import { type FollowOptions, followStarted, type InputOptions, readInput } from "./run.ts";

export interface RerunOptions extends FollowOptions {
  from?: string[];
  failed?: boolean;
  workflowVersion?: number;
  requestId?: string;
}

export interface ForkOptions extends FollowOptions, InputOptions {
  from?: string[];
  workflowVersion?: number;
  requestId?: string;
}

export interface ResetOptions {
  from: string[];
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
  const { from: fromNodeIds, reason, requestId } = options;
  const request = { executionId, fromNodeIds, reason, requestId };
  return show(context, (await executions.resetExecution(request, { signal: context.io.signal })).execution);
}

async function start(
  context: CommandContext,
  executionId: string,
  rerun: Rerun,
  options: FollowOptions & { workflowVersion?: number; requestId?: string },
): Promise<ExitCode> {
  const { executions } = await context.client();
  const { requestId, workflowVersion: version } = options;
  const request = { executionId, ...rerun, version, requestId };
  const { execution, created } = await executions.rerunExecution(request, { signal: context.io.signal });
  if (execution === undefined) throw new Error("the server answered RerunExecution without an execution");
  if (!created) context.say(`the request id ${requestId ?? ""} was used before: this is the execution that it started`);
  context.say(describeReuse(execution));
  return await followStarted(context, execution, options);
}

function describeReuse({ nodes, rerunOf }: Execution): string {
  const kept = nodes.filter(({ reused }) => reused).length;
  const from = rerunOf?.fromNodeIds ?? [];
  const where = from.length === 0 ? "" : ` from ${from.map(oneLine).join(", ")}`;
  return `runs again${where}; keeps ${kept} of ${nodes.length} nodes`;
}
