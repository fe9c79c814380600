import { evaluateField } from "./evaluate.ts";
import type { ExecutionState } from "./execution-state.ts";
import { NodeFault } from "./failure.ts";
import type { Json, JsonObject } from "./json.ts";
import { DEFAULT_MAX_PAYLOAD_BYTES } from "./limits.ts";
import { findSizeFault } from "./payload-size.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import { queryFailed, queryUnknown } from "./refusals.ts";
import { createScope, describeFailure } from "./scope.ts";
import type { NodeState } from "./state.ts";
import { formatTimestamp } from "./timestamp.ts";

/** Every execution answers these, whatever its definition says. Definitions cannot declare queries of these names. */
export const BUILT_IN_QUERIES = ["input", "vars", "nodes", "waits", "signals"] as const;
type BuiltIn = (typeof BUILT_IN_QUERIES)[number];

/**
 * Answers a query about the execution as it stands, live or ended. Nothing is changed by it, and the answer is the caller's own.
 *
 * @throws DomainError QUERY_UNKNOWN, or QUERY_FAILED when its expression cannot be evaluated now or gives too much
 */
export function answerQuery(
  plan: Plan,
  state: ExecutionState,
  query: { executionId: string; name: string; args: Json },
): Json {
  const { name, args, executionId } = query;
  if (isBuiltIn(name)) return structuredCopy(BUILT_IN[name](plan, state));
  const linked = plan.queries.get(name);
  if (linked === undefined) {
    throw queryUnknown(plan.document.workflowId, name, [...plan.queries.keys(), ...BUILT_IN_QUERIES]);
  }
  try {
    const scope = createScope(plan, state, executionId, { names: { query: { name, args } } });
    const answer = evaluateField(linked.output, scope);
    const fault = findSizeFault(answer, DEFAULT_MAX_PAYLOAD_BYTES);
    if (fault !== undefined) throw queryFailed(name, `the answer ${fault}`);
    return structuredCopy(answer);
  } catch (error) {
    if (!(error instanceof NodeFault)) throw error;
    throw queryFailed(name, error.message);
  }
}

function isBuiltIn(name: string): name is BuiltIn {
  return (BUILT_IN_QUERIES as readonly string[]).includes(name);
}

const BUILT_IN: Record<BuiltIn, (plan: Plan, state: ExecutionState) => Json> = {
  input: (_plan, state) => state.input,
  vars: (_plan, state) => state.vars,
  nodes: (plan, state) => Object.fromEntries(listKnown(plan, state).map(([{ id }, node]) => [id, describeNode(node)])),
  waits: (plan, state) =>
    listKnown(plan, state).flatMap(([{ id, definition }, node]) => {
      if (definition.kind !== "action" || node.status !== "waiting" || node.fallback !== undefined) return [];
      return [
        {
          node: id,
          signal: node.signal ?? null,
          event: node.event ?? null,
          key: node.signalKey ?? null,
          until: node.dueAt === undefined ? null : formatTimestamp(node.dueAt),
        },
      ];
    }),
  // Without what they hold: a look at what is there must not carry megabytes.
  signals: (_plan, state) => state.signals.map(({ name, key }) => ({ name, key: key ?? null })),
};

/** What undoes steps is there only when the execution ends. */
function listKnown(plan: Plan, state: ExecutionState): [LinkedNode, NodeState][] {
  return plan.nodes.slice(0, state.nodes.length).map((linked, at) => [linked, state.nodes[at] as NodeState]);
}

function describeNode({ status, attempt, failure, isHandled }: NodeState): JsonObject {
  const isFailed = status === "failed" || isHandled === true;
  return { status, attempt, error: isFailed && failure !== undefined ? describeFailure(failure) : null };
}

/** The state's own objects change with its next turn. */
function structuredCopy(value: Json): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
