import type { Json, JsonObject } from "@heddle/engine";
import { attribute, childrenOf, conditionOf, type Conversion, refuseOthers } from "./conversion.ts";
import { ACTIONS, convertActions } from "./convert-actions.ts";
import { convertData, convertPayload, wordsOf } from "./convert-data.ts";
import { convertInvocation } from "./convert-invocation.ts";
import type { XmlElement } from "./read-xml.ts";

export const STATES = ["state", "parallel", "final", "history"] as const;

const CHILDREN: Readonly<Record<(typeof STATES)[number], readonly string[]>> = {
  state: [...STATES, "onentry", "onexit", "transition", "initial", "datamodel", "invoke"],
  parallel: [...STATES, "onentry", "onexit", "transition", "datamodel", "invoke"],
  final: ["onentry", "onexit", "donedata"],
  history: ["transition"],
};
const ATTRIBUTES: Readonly<Record<(typeof STATES)[number], readonly string[]>> = {
  state: ["id", "initial"],
  parallel: ["id"],
  final: ["id"],
  history: ["id", "type"],
};

/** The states that stand directly in the element. */
export function convertStates(parent: XmlElement, conversion: Conversion): JsonObject[] {
  return childrenOf(parent, ...STATES).map((element) => convertState(element, conversion));
}

function convertState(element: XmlElement, conversion: Conversion): JsonObject {
  const kind = STATES.find((state) => state === element.name)!;
  refuseOthers(element, { attributes: ATTRIBUTES[kind], children: CHILDREN[kind] }, conversion);
  const name = conversion.nameOf(element);
  if (kind === "history") return convertHistory(element, name, conversion);
  const context = convertData(element, conversion);
  const onEnter = convertBlocks(element, "onentry", conversion);
  const onExit = convertBlocks(element, "onexit", conversion);
  const transitions = childrenOf(element, "transition").map((each) => convertTransition(each, conversion));
  const invocations = childrenOf(element, "invoke").map((each) => convertInvocation(each, name, conversion));
  const output = doneDataOf(element, conversion);
  const states = convertStates(element, conversion);
  return {
    name,
    ...(kind === "final" && { type: "final" }),
    ...(kind === "parallel" && { parallel: true }),
    ...convertInitial(element, conversion),
    ...(context !== undefined && { context }),
    ...(onEnter.length > 0 && { on_enter: onEnter }),
    ...(onExit.length > 0 && { on_exit: onExit }),
    ...(invocations.length > 0 && { invoke: invocations.length === 1 ? invocations[0]! : invocations }),
    ...(transitions.length > 0 && { transitions }),
    ...(output !== undefined && { output }),
    ...(states.length > 0 && { states }),
  };
}

/** `initial`, as an attribute or as an element; nothing where the first state inside is meant. */
export function convertInitial(element: XmlElement, conversion: Conversion): JsonObject {
  const names = wordsOf(attribute(element, "initial")).map(({ value }) => conversion.stateName(value));
  if (names.length > 0) return { initial_state: one(names) };
  const [initial] = childrenOf(element, "initial");
  return initial === undefined ? {} : entryOf(initial, "initial", "initial_state", conversion);
}

function convertHistory(element: XmlElement, name: string, conversion: Conversion): JsonObject {
  const type = attribute(element, "type")?.value.trim() ?? "shallow";
  return { name, history: type === "deep" ? "deep" : "shallow", ...entryOf(element, "default", "default", conversion) };
}

/** The transition of `<initial>` or `<history>`: in short when it does nothing on the way. */
function entryOf(parent: XmlElement, long: string, short: string, conversion: Conversion): JsonObject {
  const [transition] = childrenOf(parent, "transition");
  if (transition === undefined) return {};
  refuseOthers(transition, { attributes: ["target", "type"], children: ACTIONS }, conversion);
  const target = targetsOf(transition, conversion);
  const actions = convertActions(transition, conversion);
  return actions.length === 0 ? { [short]: target ?? "" } : { [long]: { target: target ?? "", actions } };
}

function convertTransition(element: XmlElement, conversion: Conversion): JsonObject {
  refuseOthers(element, { attributes: ["event", "cond", "target", "type"], children: ACTIONS }, conversion);
  const events = wordsOf(attribute(element, "event")).map(({ value }) => conversion.eventName(value));
  const cond = attribute(element, "cond");
  const target = targetsOf(element, conversion);
  const actions = convertActions(element, conversion);
  return {
    ...(events.length > 0 && { event: one(events) }),
    ...(cond !== undefined && { guard: conditionOf(cond, conversion) }),
    ...(target !== undefined && { target }),
    ...(attribute(element, "type")?.value.trim() === "internal" && { internal: true }),
    ...(actions.length > 0 && { actions: actions.length === 1 ? actions[0]! : actions }),
  };
}

function targetsOf(element: XmlElement, conversion: Conversion): Json | undefined {
  const names = wordsOf(attribute(element, "target")).map(({ value }) => conversion.stateName(value));
  return names.length === 0 ? undefined : one(names);
}

function one(names: string[]): Json {
  return names.length === 1 ? names[0]! : names;
}

/** All blocks of one kind are one list of actions here. */
function convertBlocks(element: XmlElement, name: "onentry" | "onexit", conversion: Conversion): JsonObject[] {
  const blocks = childrenOf(element, name);
  const [, second] = blocks;
  if (second !== undefined) {
    const hint = "nothing, unless one of them may fail: an action that fails then ends those after it too";
    conversion.problems.warn(second.at, `<${element.name}> has several <${name}>, which become one list`, hint);
  }
  return blocks.flatMap((block) => {
    refuseOthers(block, { attributes: [], children: ACTIONS }, conversion);
    return convertActions(block, conversion);
  });
}

function doneDataOf(element: XmlElement, conversion: Conversion): Json | undefined {
  const [donedata] = childrenOf(element, "donedata");
  if (donedata === undefined) return undefined;
  refuseOthers(donedata, { attributes: [], children: ["content", "param"] }, conversion);
  return convertPayload(donedata, conversion);
}
