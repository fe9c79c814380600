import { NodeFault, coreFailure } from "../failure.ts";
import type { Field, FieldCompiler } from "../field.ts";
import { describeType } from "../json-object.ts";
import type { Json } from "../json.ts";
import { collectOutputs } from "../output.ts";
import type { LinkedNode, NodeProgram, Turn } from "../plan.ts";
import type { LoopNode } from "../plan-node.ts";
import type { NodeState, TurnState } from "../state.ts";
import { bodyScopeOf, checkPayload, evaluateField, requireBoolean, scopeOf } from "../evaluate.ts";
import { completeNode } from "../ends.ts";
import { emit } from "../turn.ts";

/** Runs its body until its conditions, its list or a `break` end it. */
export function linkLoop(definition: LoopNode, compiler: FieldCompiler): NodeProgram {
  const loop = linkFields(definition, compiler);
  const { timeoutMs } = definition;
  return {
    begin: (turn, node) => beginLoop(turn, node, loop),
    join: (turn, node) => endTurn(turn, node, loop),
    fire() {
      throw new NodeFault(coreFailure("timeout", `it has not ended within its timeout of ${timeoutMs} ms`));
    },
  };
}

interface LinkedLoop {
  definition: LoopNode;
  forEach?: Field;
  carry?: Field;
  next?: Field;
  while?: Field;
  until?: Field;
  result?: Field;
  output?: Field;
}

function linkFields(definition: LoopNode, compiler: FieldCompiler): LinkedLoop {
  const template = (path: string, value: Json | undefined) =>
    value === undefined ? undefined : compiler.template(path, value);
  const expression = (path: string, source: string | undefined) =>
    source === undefined ? undefined : compiler.expression(path, source);
  return {
    definition,
    forEach: template("for_each", definition.forEach),
    carry: template("carry", definition.carry),
    next: template("next", definition.next),
    while: expression("while", definition.while),
    until: expression("until", definition.until),
    result: template("result", definition.result),
    output: template("output", definition.output),
  };
}

function beginLoop(turn: Turn, node: LinkedNode, loop: LinkedLoop): void {
  const { definition } = loop;
  const scope = scopeOf(turn, node);
  const items = loop.forEach && toList(evaluateField(loop.forEach, scope));
  if (items !== undefined && items.length > definition.maxTurns) {
    throw tooManyTurns(definition, `the list has ${items.length} items`);
  }
  const carry = loop.carry && evaluateField(loop.carry, scope);
  checkPayload(turn, "the list", items ?? null);
  checkPayload(turn, "the carried value", carry ?? null);
  const first: TurnState = { index: 0, open: 0, ...(items && { items }), ...(carry !== undefined && { carry }) };
  if (items?.length === 0) return finish(turn, node, loop, first);
  if (loop.while && !holds(loop.while, turn, node, first)) return finish(turn, node, loop, first);
  emit(turn, {
    type: "turn_started",
    at: turn.at,
    nodeId: node.id,
    turn: 0,
    ...(definition.timeoutMs !== undefined && { dueAt: turn.at + definition.timeoutMs }),
    ...(items && { items }),
    ...(carry !== undefined && { carry }),
  });
}

function endTurn(turn: Turn, node: LinkedNode, loop: LinkedLoop): void {
  const { definition } = loop;
  const result = loop.result
    ? evaluateField(loop.result, bodyScopeOf(turn, node))
    : collectOutputs(turn, node.body?.leaves ?? []);
  checkPayload(turn, "the result of the turn", result);
  const { index } = turnOf(turn, node);
  emit(turn, { type: "turn_ended", at: turn.at, nodeId: node.id, turn: index, result });
  // Also after the last turn: so a loop folds a list into what it carries.
  const carry = loop.next ? evaluateField(loop.next, bodyScopeOf(turn, node)) : turnOf(turn, node).carry;
  checkPayload(turn, "the carried value", carry ?? null);
  const past: TurnState = { ...turnOf(turn, node), ...(carry !== undefined && { carry }) };
  if (loop.until && holds(loop.until, turn, node, past)) return finish(turn, node, loop, past);
  if (past.items !== undefined && index + 1 >= past.items.length) return finish(turn, node, loop, past);
  const next: TurnState = { ...past, index: index + 1 };
  if (loop.while && !holds(loop.while, turn, node, next)) return finish(turn, node, loop, next);
  if (index + 1 >= definition.maxTurns) throw tooManyTurns(definition, "it would go on");
  emit(turn, {
    type: "turn_started",
    at: turn.at,
    nodeId: node.id,
    turn: index + 1,
    ...(carry !== undefined && { carry }),
  });
}

function finish(turn: Turn, node: LinkedNode, loop: LinkedLoop, at: TurnState): void {
  completeNode(
    turn,
    node,
    loop.output ? evaluateField(loop.output, bodyScopeOf(turn, node, at)) : resultSoFar(loop.definition, at),
  );
}

/** What a loop without `output` gives. */
export function resultSoFar({ collect }: LoopNode, { result }: TurnState): Json {
  return result ?? (collect ? [] : null);
}

function turnOf(turn: Turn, node: LinkedNode): TurnState {
  return (turn.state.nodes[node.index] as NodeState).turn as TurnState;
}

function holds(condition: Field, turn: Turn, node: LinkedNode, at: TurnState): boolean {
  return requireBoolean(evaluateField(condition, bodyScopeOf(turn, node, at)), condition.path);
}

function toList(value: Json): Json[] {
  if (Array.isArray(value)) return value;
  throw new NodeFault(coreFailure("invalid_value", `for_each: gave ${describeType(value)}; it must give a list`));
}

function tooManyTurns({ maxTurns }: LoopNode, why: string): NodeFault {
  return new NodeFault(
    coreFailure(
      "too_many_turns",
      `the loop may have ${maxTurns} turns, and ${why}; raise max_iterations, or end it sooner`,
    ),
  );
}
