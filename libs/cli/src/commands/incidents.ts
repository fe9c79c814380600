import type { MessageInitShape } from "@bufbuild/protobuf";
import { fromJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { ResolveIncidentRequestSchema } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { NodeExecutionSchema } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { CliError } from "../cli-error.ts";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { readJsonValue } from "../json-input.ts";
import { messageJson } from "../message-json.ts";
import { failureText } from "../render/describe-event.ts";
import { show } from "./control.ts";

/** Lists the nodes of an execution that have failed and wait for a person. */
export async function incidents(context: CommandContext, executionId: string): Promise<ExitCode> {
  const { executions } = await context.client();
  const { execution } = await executions.getExecution({ executionId }, { signal: context.io.signal });
  const nodes = (execution?.nodes ?? []).filter(({ incident }) => incident);
  if (context.json) context.printJson(nodes.map((node) => messageJson(NodeExecutionSchema, node)));
  else if (nodes.length === 0) context.print("no node waits with an incident");
  else for (const { nodeId, failure } of nodes) context.print(`${nodeId}  ${failureText(failure)}`);
  return EXIT.ok;
}

export interface ResolveOptions {
  retry?: boolean;
  input?: string;
  complete?: string;
  skip?: boolean;
  fail?: boolean;
  reason?: string;
}

/** Says how to go on with such a node. */
export async function resolve(
  context: CommandContext,
  executionId: string,
  nodeId: string,
  options: ResolveOptions,
): Promise<ExitCode> {
  const resolution = await readResolution(context, options);
  const { executions } = await context.client();
  const request = { executionId, nodeId, resolution, reason: options.reason };
  return show(context, (await executions.resolveIncident(request, { signal: context.io.signal })).execution);
}

type Resolution = MessageInitShape<typeof ResolveIncidentRequestSchema>["resolution"];

async function readResolution({ io }: CommandContext, options: ResolveOptions): Promise<Resolution> {
  const { retry = false, input, complete, skip = false, fail = false } = options;
  const given = [retry || input !== undefined, complete !== undefined, skip, fail].filter(Boolean).length;
  if (given !== 1) {
    const message = given === 0 ? "nothing says how to go on" : "several options say how to go on";
    throw new CliError(`${message}; give one of --retry (with --input), --complete, --skip, --fail`, {
      exitCode: EXIT.invalid,
    });
  }
  if (complete !== undefined) {
    return { case: "complete", value: fromJson(ValueSchema, await readJsonValue(complete, "--complete", io)) };
  }
  if (skip) return { case: "skip", value: true };
  if (fail) return { case: "fail", value: true };
  if (input === undefined) return { case: "retry", value: {} };
  return { case: "retry", value: { input: fromJson(ValueSchema, await readJsonValue(input, "--input", io)) } };
}
