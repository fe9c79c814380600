import type { Json, JsonObject } from "@heddle/engine";
import { checkPayload } from "@heddle/journal-service";

/** Refuses what does not fit the schema that the definition gives; without a schema everything fits. */
export function checkInteraction(
  what: string,
  definition: { inputSchema?: JsonObject } | undefined,
  value: Json,
  field: string,
): void {
  if (definition?.inputSchema !== undefined) checkPayload(what, definition.inputSchema, value, field);
}
