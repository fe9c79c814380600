import type { Scope } from "@heddle/expression";
import type { Failure } from "./events.ts";
import { classOf } from "./failure.ts";
import type { ExecutionState } from "./execution-state.ts";
import { assignFields, findField, isObject } from "./json-object.ts";
import type { Json, JsonObject } from "./json.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import type { LoopNode } from "./plan-node.ts";
import type { NodeState, TurnState } from "./state.ts";
import { findCaptured, firstFlow, inputOf, varsOf } from "./surroundings.ts";
import { formatTimestamp } from "./timestamp.ts";

export interface ScopePlace {
  /** Whose expressions these are; absent: of the workflow's output, into which everything flows that nothing else takes. */
  node?: LinkedNode;
  /**
   * Of a group or loop: they are evaluated around a turn of its body, and what flows into them are the body's leaves. A turn
   * that is given stands for the state's.
   */
  inBody?: true | TurnState;
  /** Names besides, which come first. */
  names?: Readonly<Record<string, Json>>;
}

/** What expressions see at one moment. Each name is made when it is asked for. */
export function createScope(plan: Plan, state: ExecutionState, executionId: string, place: ScopePlace): Scope {
  let current: Json | undefined;
  const getCurrent = (): Json => {
    if (current === undefined) current = flowAt(plan, state, place);
    return current;
  };
  const getLoop = () => findLoop(plan, state, place);
  return {
    get(name) {
      if (place.names !== undefined && Object.hasOwn(place.names, name)) return place.names[name];
      switch (name) {
        case "input":
          return inputOf(plan, state);
        case "current":
          return getCurrent();
        case "vars":
          return varsOf(plan, state);
        case "execution":
          return describeExecution(state, executionId);
        default:
          return findFirst(
            () => findNodeView(plan, state, name),
            () => findOfLoop(getLoop(), name),
            () => findCaptured(plan, state, name),
            () => findBareName(state, getCurrent, name),
          );
      }
    },
    names: () => listNames(plan, state, getCurrent(), getLoop(), place),
  };
}

/** The first that is there: null is a value like any other. */
function findFirst(...places: readonly (() => Json | undefined)[]): Json | undefined {
  for (const find of places) {
    const value = find();
    if (value !== undefined) return value;
  }
  return undefined;
}

interface LoopAt {
  definition: LoopNode;
  turn: TurnState;
  /** The one around it. */
  outer(): LoopAt | undefined;
}

/** The innermost loop that the place is in. */
function findLoop(plan: Plan, state: ExecutionState, { node, inBody }: ScopePlace): LoopAt | undefined {
  for (let at = inBody === undefined ? containerOf(plan, node) : node; at !== undefined; at = containerOf(plan, at)) {
    if (at.definition.kind !== "loop") continue;
    const isGiven = at === node && typeof inBody === "object";
    const turn = isGiven ? inBody : (state.nodes[at.index] as NodeState).turn;
    const loop = at;
    return turn && { definition: at.definition, turn, outer: () => findLoop(plan, state, { node: loop }) };
  }
  return undefined;
}

function containerOf(plan: Plan, node: LinkedNode | undefined): LinkedNode | undefined {
  const container = node?.definition.container;
  return container === undefined ? undefined : plan.nodes[container];
}

function describeLoop({ definition, turn }: LoopAt): JsonObject {
  const { index, items, carry, result } = turn;
  return {
    index,
    item: items?.[index] ?? null,
    count: items?.length ?? null,
    carry: carry ?? null,
    // A list that goes on growing must not be given out.
    result: definition.collect ? null : (result ?? null),
  };
}

function findOfLoop(loop: LoopAt | undefined, name: string): Json | undefined {
  if (loop === undefined) return undefined;
  if (name === "loop") return describeLoop(loop);
  const { items, index } = loop.turn;
  if (items !== undefined && name === (loop.definition.itemName ?? "item")) return items[index] ?? null;
  // Items of loops further out are seen by their names.
  return findOfOuterLoop(loop.outer(), name);
}

function findOfOuterLoop(loop: LoopAt | undefined, name: string): Json | undefined {
  return loop === undefined || name === "loop" ? undefined : findOfLoop(loop, name);
}

function flowAt(plan: Plan, state: ExecutionState, { node, inBody }: ScopePlace): Json {
  if (inBody === undefined || node === undefined) return flowInto(plan, state, node);
  const flow = mergeFlow(state, node.body?.leaves ?? []);
  return flow === undefined ? flowInto(plan, state, node) : flow;
}

/**
 * `current`: the output of the only completed dependency; of several the fields of their objects, merged in document
 * order; without dependencies what flowed into the activator, at the beginning of a body what its turn is about or what
 * flows into its container, and the workflow's input at the very beginning.
 */
export function flowInto(plan: Plan, state: ExecutionState, node: LinkedNode | undefined): Json {
  let at = node;
  while (at && at.definition.dependencies.length === 0) {
    const by = (state.nodes[at.index] as NodeState).activatedBy;
    if (by === undefined) {
      const container = containerOf(plan, at);
      if (container === undefined) return firstFlow(plan, state);
      const { items, index = 0, carry } = (state.nodes[container.index] as NodeState).turn ?? {};
      if (items !== undefined) return items[index] ?? null;
      if (carry !== undefined) return carry;
      at = container;
    } else {
      at = plan.nodes[by] as LinkedNode;
    }
  }
  const flow = mergeFlow(state, at ? at.definition.dependencies : plan.body.leaves);
  return flow === undefined ? firstFlow(plan, state) : flow;
}

/** Undefined: none of them has completed. */

function mergeFlow(state: ExecutionState, sources: readonly number[]): Json | undefined {
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
  return merged ?? only;
}

/** For messages: nearest first, each once. */
function listNames(
  plan: Plan,
  state: ExecutionState,
  current: Json,
  loop: LoopAt | undefined,
  { names }: ScopePlace,
): Set<string> {
  const fields = isObject(current) ? Object.keys(current) : [];
  return new Set([
    ...Object.keys(names ?? {}),
    ...(loop === undefined ? [] : ["loop"]),
    ...(loop?.turn.items === undefined ? [] : [loop.definition.itemName ?? "item"]),
    "input",
    "current",
    "vars",
    "execution",
    ...Object.keys(state.vars),
    ...fields,
    ...Object.keys(state.input),
    ...plan.document.nodes.map(({ id }) => id),
  ]);
}

function describeExecution(state: ExecutionState, executionId: string): JsonObject {
  const end = state.ending?.end;
  const handled = state.handling === undefined ? undefined : state.handledFailure;
  const failure = end === undefined ? handled : end.outcome === "failed" ? end.failure : undefined;
  return {
    id: executionId,
    namespace: state.namespace,
    workflow_id: state.workflowId,
    version: state.version,
    started_at: formatTimestamp(state.startedAt),
    // What `finally` is about, and what runs because the execution was to fail.
    status: end?.outcome ?? "running",
    error: failure === undefined ? null : describeFailure(failure),
  };
}

function findNodeView(plan: Plan, state: ExecutionState, id: string): JsonObject | undefined {
  const index = plan.indices.get(id);
  if (index === undefined) return undefined;
  const node = state.nodes[index];
  if (node === undefined) return undefined;
  return {
    output: node.output ?? null,
    status: node.status,
    attempt: node.attempt,
    // A node that came through has no error, whatever its earlier attempts had.
    error: (node.status === "failed" || node.isHandled) && node.failure ? describeFailure(node.failure) : null,
  };
}

export function describeFailure(failure: Failure): JsonObject {
  return {
    type: failure.type,
    message: failure.message,
    node: failure.nodeId ?? null,
    class: classOf(failure),
    retryable: failure.retryable !== false,
    details: failure.details ?? null,
  };
}

function findBareName(state: ExecutionState, getCurrent: () => Json, name: string): Json | undefined {
  return findFirst(
    () => findField(state.vars, name),
    () => {
      const flow = getCurrent();
      return isObject(flow) ? findField(flow, name) : undefined;
    },
    () => findField(state.input, name),
  );
}
