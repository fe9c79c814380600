import type { MachineInput } from "./events.ts";
import type { JsonObject } from "./json.ts";

/** The same value, as JSON in the sense of the types. */
export function machineInputToJson({ key, context, events }: MachineInput): JsonObject {
  return { ...(key !== undefined && { key }), context, events: events.map(({ event, data }) => ({ event, data })) };
}
