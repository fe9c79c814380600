import { fromJson, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { readJsonValue } from "../json-input.ts";
import { targetOf } from "../target.ts";

export interface QueryOptions {
  args?: string;
}

/** Asks an execution something, and prints the answer as JSON. */
export async function query(
  context: CommandContext,
  target: string,
  name: string,
  options: QueryOptions,
): Promise<ExitCode> {
  const args = options.args === undefined ? null : await readJsonValue(options.args, "--args", context.io);
  const { executions } = await context.client();
  const request = { ...targetOf(context, target), name, args: fromJson(ValueSchema, args) };
  const { output } = await executions.queryExecution(request, { signal: context.io.signal });
  const answer = output === undefined ? null : toJson(ValueSchema, output);
  if (context.json) context.printJson(answer);
  else context.print(JSON.stringify(answer, undefined, 2));
  return EXIT.ok;
}
