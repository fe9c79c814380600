import type { Scope } from "@heddle/expression";
import type { Failure } from "./events.ts";
import type { ExecutionState } from "./execution-state.ts";
import { assignFields, findField, isObject } from "./json-object.ts";
import type { Json, JsonObject } from "./json.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import type { NodeState } from "./state.ts";
import { formatTimestamp } from "./timestamp.ts";

/**
 * What the expressions of one node see at one moment. `node` undefined: those of the workflow's output, into which
 * everything flows that nothing else takes. Each name is made when it is asked for.
 */
export function createScope(
  plan: Plan,
  state: ExecutionState,
  executionId: string,
  node: LinkedNode | undefined,
): Scope {
  let current: Json | undefined;
  const getCurrent = (): Json => {
    if (current === undefined) current = flowInto(plan, state, node);
    return current;
  };
  return {
    get(name) {
      switch (name) {
        case "input":
          return state.input;
        case "current":
          return getCurrent();
        case "vars":
          // A copy: the state's own changes with the next `set`, and what has been given out must not.
          return { ...state.vars };
        case "execution":
          return describeExecution(state, executionId);
        default:
          return findNodeView(plan, state, name) ?? findBareName(state, getCurrent, name);
      }
    },
    names: () => listNames(plan, state, getCurrent()),
  };
}

/**
 * `current`: the output of the only completed dependency; of several the fields of their objects, merged in document
 * order; without dependencies what flowed into the activator, and the workflow's input at the very beginning.
 */
export function flowInto(plan: Plan, state: ExecutionState, node: LinkedNode | undefined): Json {
  let at = node;
  while (at && at.definition.dependencies.length === 0) {
    const by = (state.nodes[at.index] as NodeState).activatedBy;
    if (by === undefined) return state.input;
    at = plan.nodes[by] as LinkedNode;
  }
  return mergeFlow(state, at ? at.definition.dependencies : plan.leaves);
}

function mergeFlow(state: ExecutionState, sources: readonly number[]): Json {
  let only: Json | undefined;
  let merged: JsonObject | undefined;
  for (const index of sources) {
    const node = state.nodes[index] as NodeState;
    if (node.status !== "completed") continue;
    const output = node.output as Json;
    if (only === undefined) {
      only = output;
    } else {
      if (!merged) {
        merged = {};
        if (isObject(only)) assignFields(merged, only);
      }
      if (isObject(output)) assignFields(merged, output);
    }
  }
  return merged ?? only ?? state.input;
}

/** For messages: nearest first, each once. */
function listNames(plan: Plan, state: ExecutionState, current: Json): Set<string> {
  const fields = isObject(current) ? Object.keys(current) : [];
  return new Set([
    "input",
    "current",
    "vars",
    "execution",
    ...Object.keys(state.vars),
    ...fields,
    ...Object.keys(state.input),
    ...plan.indices.keys(),
  ]);
}

function describeExecution(state: ExecutionState, executionId: string): JsonObject {
  return {
    id: executionId,
    namespace: state.namespace,
    workflow_id: state.workflowId,
    version: state.version,
    started_at: formatTimestamp(state.startedAt),
  };
}

function findNodeView(plan: Plan, state: ExecutionState, id: string): JsonObject | undefined {
  const index = plan.indices.get(id);
  if (index === undefined) return undefined;
  const node = state.nodes[index] as NodeState;
  return {
    output: node.output ?? null,
    status: node.status,
    attempt: node.attempt,
    // A node that came through has no error, whatever its earlier attempts had.
    error: node.status === "failed" && node.failure ? describeFailure(node.failure) : null,
  };
}

function describeFailure(failure: Failure): JsonObject {
  return { type: failure.type, message: failure.message, details: failure.details ?? null };
}

function findBareName(state: ExecutionState, getCurrent: () => Json, name: string): Json | undefined {
  const variable = findField(state.vars, name);
  if (variable !== undefined) return variable;
  const flow = getCurrent();
  return (isObject(flow) ? findField(flow, name) : undefined) ?? findField(state.input, name);
}
