import { findField, formatTimestamp, type Json, type JsonObject } from "@heddle/engine";
import type { Scope } from "@heddle/expression";
import type { MachineState } from "./machine-state.ts";
import type { ChartEvent, Turn } from "./turn.ts";

/** Variables of the `foreach` around, inner ones first. */
export interface Locals {
  values: Readonly<Record<string, Json>>;
  outer: Locals | undefined;
}

/**
 * What expressions see: `context` and its fields by their bare names, `event` (also as `_event`), `machine`, the variables of the
 * loops around, and `In("state")`.
 */
export function createScope(turn: Turn, event: ChartEvent | undefined, locals?: Locals): Scope {
  return {
    get(name) {
      for (let at = locals; at !== undefined; at = at.outer) {
        const value = findField(at.values, name);
        if (value !== undefined) return value;
      }
      switch (name) {
        case "context":
          return contextOf(turn);
        case "event":
        case "_event":
          return describeEvent(event);
        case "machine":
          return describeMachine(turn.state, turn.context.machineId);
        default:
          return findVariable(turn, name);
      }
    },
    isIn(id) {
      const index = turn.chart.indices.get(id);
      return index !== undefined && turn.step.active.has(index);
    },
    names: () => ["context", "event", "machine", ...Object.keys(contextOf(turn))],
  };
}

/** With what the step under way has assigned. */
export function contextOf({ state, step }: Turn): JsonObject {
  return step.assigned === undefined ? state.context : { ...state.context, ...step.assigned };
}

export function findVariable({ state, step }: Turn, name: string): Json | undefined {
  return (step.assigned && findField(step.assigned, name)) ?? findField(state.context, name);
}

function describeEvent(event: ChartEvent | undefined): Json {
  if (event === undefined) return null;
  return {
    name: event.name,
    data: event.data,
    type: event.type,
    send_id: event.sendId ?? "",
    invoke_id: event.invokeId ?? "",
  };
}

/** What a machine is from its creation on, but for its version. */
export function describeMachine(state: MachineState, machineId: string): JsonObject {
  return {
    id: machineId,
    key: state.key,
    namespace: state.namespace,
    workflow_id: state.workflowId,
    version: state.version,
    created_at: formatTimestamp(state.createdAt),
  };
}
