import { fromBinary } from "@bufbuild/protobuf";
import type { EventMessage } from "@heddle/events";
import { type DefinitionEvent, DefinitionEventSchema } from "@heddle/proto/heddle/definition/v1/definition_event_pb.js";
import type { Queryable } from "@heddle/store";
import { type Declaration, replaceDeclared } from "./declared.ts";

/** Takes over what activated versions declare. @returns whether there may be other schedules or triggers than before */
export async function takeDefinitionEvents(
  messages: readonly EventMessage[],
  transaction: Queryable,
  nowMs: number,
): Promise<boolean> {
  let changed = false;
  for (const { value } of messages) {
    const declaration = declarationOf(fromBinary(DefinitionEventSchema, value));
    if (declaration === undefined) continue;
    await replaceDeclared(transaction, declaration, nowMs);
    changed = true;
  }
  return changed;
}

/** undefined for events that change nothing about when a workflow starts. */
function declarationOf({ namespace, workflowId, event }: DefinitionEvent): Declaration | undefined {
  switch (event.case) {
    case "versionActivated":
      return { namespace, workflowId, schedules: event.value.schedules, triggers: event.value.triggers };
    case "deleted":
      return { namespace, workflowId, schedules: [], triggers: [] };
    default:
      return undefined;
  }
}
