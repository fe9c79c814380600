import { fromJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { CommandContext } from "../context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { readJsonValue } from "../json-input.ts";
import { targetOf } from "../target.ts";
import { show } from "./control.ts";

export interface SignalOptions {
  payload?: string;
  key?: string;
  requestId?: string;
}

/** Sends a signal to an execution; it is kept until a node waits for its name and key. */
export async function signal(
  context: CommandContext,
  target: string,
  name: string,
  options: SignalOptions,
): Promise<ExitCode> {
  const json = options.payload === undefined ? null : await readJsonValue(options.payload, "--payload", context.io);
  const { executions } = await context.client();
  const { key, requestId } = options;
  const request = { ...targetOf(context, target), name, key, payload: fromJson(ValueSchema, json), requestId };
  return show(context, (await executions.signalExecution(request, { signal: context.io.signal })).execution);
}
