import { randomUUID } from "node:crypto";
import { fromJson, toJson } from "@bufbuild/protobuf";
import { durationFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import { UpdateExecutionResponseSchema } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { readJsonValue } from "../json-input.ts";
import { UPDATE_MARGIN_MS, UPDATE_WAIT_MS } from "../limits.ts";
import { messageJson } from "../message-json.ts";
import { failureText } from "../render/describe-event.ts";
import { targetOf } from "../target.ts";

export interface UpdateOptions {
  payload?: string;
  requestId?: string;
  /** Milliseconds. */
  timeout?: number;
}

/** Asks an execution to change, and prints its reply. */
export async function update(
  context: CommandContext,
  target: string,
  name: string,
  options: UpdateOptions,
): Promise<ExitCode> {
  const json = options.payload === undefined ? null : await readJsonValue(options.payload, "--payload", context.io);
  const { executions } = await context.client();
  const waitMs = options.timeout ?? UPDATE_WAIT_MS;
  // Made here, so that the call can be repeated while the server is away.
  const requestId = options.requestId ?? randomUUID();
  const payload = fromJson(ValueSchema, json);
  const request = { ...targetOf(context, target), name, payload, requestId, wait: durationFromMs(waitMs) };
  const response = await executions.updateExecution(request, {
    signal: context.io.signal,
    timeoutMs: waitMs + UPDATE_MARGIN_MS,
  });
  const { reply, failure } = response;
  if (context.json) context.printJson(messageJson(UpdateExecutionResponseSchema, response));
  else if (reply !== undefined) context.print(JSON.stringify(toJson(ValueSchema, reply), undefined, 2));
  else if (failure !== undefined) context.print(context.style(context.io.stdout).red(failureText(failure)));
  else context.print(`accepted, and not answered yet; ask again with --request-id ${requestId}`);
  if (failure !== undefined) return EXIT.workflowFailed;
  return reply === undefined ? EXIT.timeout : EXIT.ok;
}
