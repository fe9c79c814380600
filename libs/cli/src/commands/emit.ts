import { randomUUID } from "node:crypto";
import { fromJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { PublishEventResponseSchema } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { readJsonValue } from "../json-input.ts";
import { messageJson } from "../message-json.ts";

export interface EmitOptions {
  key?: string;
  payload?: string;
  requestId?: string;
}

/** Tells an event to all executions that wait for it. */
export async function emit(context: CommandContext, name: string, options: EmitOptions): Promise<ExitCode> {
  const json = options.payload === undefined ? null : await readJsonValue(options.payload, "--payload", context.io);
  const { executions } = await context.client();
  const { key, requestId = randomUUID() } = options;
  const { namespace } = context;
  const request = { namespace, name, key, payload: fromJson(ValueSchema, json), requestId };
  const response = await executions.publishEvent(request, { signal: context.io.signal });
  if (context.json) context.printJson(messageJson(PublishEventResponseSchema, response));
  else context.print(`${response.eventId}  told ${response.told}`);
  return EXIT.ok;
}
