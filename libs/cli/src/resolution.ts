import { fromJson, type MessageInitShape } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { ResolveIncidentRequestSchema } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { CliError } from "./cli-error.ts";
import type { CommandContext } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { readJsonValue } from "./json-input.ts";

/** How a node that has failed goes on, as flags say it. */
export interface ResolutionOptions {
  retry?: boolean;
  input?: string;
  complete?: string;
  skip?: boolean;
  fail?: boolean;
}

type Resolution = MessageInitShape<typeof ResolveIncidentRequestSchema>["resolution"];

/** @throws CliError unless exactly one is said */
export async function readResolution({ io }: CommandContext, options: ResolutionOptions): Promise<Resolution> {
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
