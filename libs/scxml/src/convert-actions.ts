import type { Json, JsonObject } from "@heddle/engine";
import {
  assignmentsOf,
  attribute,
  conditionOf,
  contentOf,
  type Conversion,
  escapeText,
  locationOf,
  refuseOthers,
  templateOf,
} from "./conversion.ts";
import { convertPayload, delayOf, durationOf } from "./convert-data.ts";
import type { XmlElement, XmlText } from "./read-xml.ts";

/** Executable content, as far as machines have it. */
export const ACTIONS = ["raise", "send", "cancel", "assign", "log", "if", "foreach", "script"] as const;

/** What stands in the element, as actions. */
export function convertActions(parent: XmlElement, conversion: Conversion): JsonObject[] {
  return convertList(parent.children, conversion);
}

function convertList(elements: readonly XmlElement[], conversion: Conversion): JsonObject[] {
  return elements.flatMap((element) => {
    const name = ACTIONS.find((action) => action === element.name);
    return name === undefined ? [] : CONVERTERS[name](element, conversion);
  });
}

function action(type: string, params: JsonObject): JsonObject[] {
  return [{ type, params }];
}

const CONVERTERS: Record<(typeof ACTIONS)[number], (element: XmlElement, conversion: Conversion) => JsonObject[]> = {
  raise(element, conversion) {
    refuseOthers(element, { attributes: ["event"], children: [] }, conversion);
    const event = requireAttribute(element, "event", conversion);
    return action("raise", { event: conversion.eventName(event.value.trim()) });
  },
  send: convertSend,
  cancel(element, conversion) {
    refuseOthers(element, { attributes: ["sendid", "sendidexpr"], children: [] }, conversion);
    const expr = attribute(element, "sendidexpr");
    const id =
      expr === undefined ? literal(requireAttribute(element, "sendid", conversion)) : templateOf(expr, conversion);
    return action("cancel", { id });
  },
  assign(element, conversion) {
    refuseOthers(element, { attributes: ["location", "expr"], children: [] }, conversion);
    const location = requireAttribute(element, "location", conversion);
    const expr = attribute(element, "expr");
    const value = expr === undefined ? contentOf(element.text) : templateOf(expr, conversion);
    return action("assign", { [locationOf(location, conversion)]: value });
  },
  log(element, conversion) {
    refuseOthers(element, { attributes: ["label", "expr"], children: [] }, conversion);
    const label = attribute(element, "label");
    const expr = attribute(element, "expr");
    const value = expr === undefined ? "" : templateOf(expr, conversion);
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const head = label === undefined ? "" : escapeText(label.value.trim());
    return action("log", { message: head === "" || text === "" ? head + text : `${head}: ${text}` });
  },
  if(element, conversion) {
    refuseOthers(element, { attributes: ["cond"], children: [...ACTIONS, "elseif", "else"] }, conversion);
    const parts: { at: XmlElement; elements: XmlElement[] }[] = [{ at: element, elements: [] }];
    for (const child of element.children) {
      if (child.name === "elseif" || child.name === "else") parts.push({ at: child, elements: [] });
      else parts.at(-1)!.elements.push(child);
    }
    const branches = parts
      .filter(({ at }) => at.name !== "else")
      .map(({ at, elements }) => ({
        condition: conditionOf(requireAttribute(at, "cond", conversion), conversion),
        // oxlint-disable-next-line unicorn/no-thenable -- the name that the dialect has; nobody awaits it
        then: convertList(elements, conversion),
      }));
    const otherwise = parts.find(({ at }) => at.name === "else");
    const [first, ...elif] = branches;
    return action("if", {
      ...first,
      ...(elif.length > 0 && { elif }),
      ...(otherwise !== undefined && { else: convertList(otherwise.elements, conversion) }),
    });
  },
  foreach(element, conversion) {
    refuseOthers(element, { attributes: ["array", "item", "index"], children: ACTIONS }, conversion);
    const index = attribute(element, "index");
    return action("foreach", {
      items: templateOf(requireAttribute(element, "array", conversion), conversion),
      item: locationOf(requireAttribute(element, "item", conversion), conversion),
      ...(index !== undefined && { index: locationOf(index, conversion) }),
      do: convertActions(element, conversion),
    });
  },
  script(element, conversion) {
    refuseOthers(element, { attributes: [], children: [] }, conversion);
    return assignmentsOf(element.text, conversion).flatMap(({ location, value }) =>
      action("assign", { [location]: value }),
    );
  },
};

const SEND_ATTRIBUTES = [
  "event",
  "eventexpr",
  "target",
  "targetexpr",
  "type",
  "id",
  "idlocation",
  "delay",
  "delayexpr",
  "namelist",
];
const PROCESSORS = new Set(["scxml", "http://www.w3.org/TR/scxml/#SCXMLEventProcessor"]);

function convertSend(element: XmlElement, conversion: Conversion): JsonObject[] {
  refuseOthers(element, { attributes: SEND_ATTRIBUTES, children: ["param", "content"] }, conversion);
  const { problems } = conversion;
  const type = attribute(element, "type");
  if (type !== undefined && !PROCESSORS.has(type.value.trim())) {
    const hint = 'let a tool send it: <invoke type="tool" src="http_request">';
    problems.error(type.at, `events cannot be sent by ${JSON.stringify(type.value)}`, hint);
  }
  const expr = attribute(element, "eventexpr");
  const event =
    expr === undefined
      ? escapeText(conversion.eventName(requireAttribute(element, "event", conversion).value.trim()))
      : templateOf(expr, conversion);
  const to = targetOf(element, conversion);
  const id = attribute(element, "id");
  const idLocation = attribute(element, "idlocation");
  const delay = delayIn(element, conversion);
  const data = convertPayload(element, conversion);
  if (delay !== undefined && to !== undefined) {
    problems.error(
      element.at,
      "a delayed event can only be sent to the machine itself",
      "send one to it, and this one when that comes",
    );
  }
  return action("send", {
    event,
    ...(data !== undefined && { data }),
    ...(delay !== undefined && { delay }),
    ...(id !== undefined && { id: literal(id) }),
    ...(idLocation !== undefined && { id_location: locationOf(idLocation, conversion) }),
    ...(to !== undefined && { to }),
  });
}

function delayIn(element: XmlElement, conversion: Conversion): Json | undefined {
  const expr = attribute(element, "delayexpr");
  if (expr !== undefined) return delayOf(expr, conversion);
  const delay = attribute(element, "delay");
  return delay === undefined || /^0+(\.0+)?(ms|s)$/.test(delay.value.trim())
    ? undefined
    : durationOf(delay, conversion);
}

/** `#_internal`, `#_parent`, `#_scxml_<session>`, `#_<invocation>`. */
function targetOf(element: XmlElement, conversion: Conversion): Json | undefined {
  const expr = attribute(element, "targetexpr");
  const target = attribute(element, "target");
  const constant = expr === undefined ? undefined : templateOf(expr, conversion);
  const given = expr === undefined ? target : { ...expr, value: typeof constant === "string" ? constant : expr.value };
  if (given === undefined) return undefined;
  const name = given.value.trim();
  if (name === "#_internal") return "internal";
  if (name === "#_parent") return "parent";
  if (name.startsWith("#_scxml_")) return { machine: escapeText(name.slice("#_scxml_".length)) };
  if (name.startsWith("#_")) return { invocation: escapeText(name.slice(2)) };
  const hint = "#_internal, #_parent, #_<id of an invocation> and #_scxml_<id of a machine> can, written out";
  conversion.problems.error(given.at, `the target ${JSON.stringify(name)} cannot be converted`, hint);
  return undefined;
}

function literal({ value }: XmlText): Json {
  return escapeText(value.trim());
}

function requireAttribute(element: XmlElement, name: string, { problems }: Conversion): XmlText {
  const found = attribute(element, name);
  if (found !== undefined) return found;
  problems.error(element.at, `<${element.name}> has no ${name}`, `add ${name}="..."`);
  return { value: "missing", at: element.at, isPlain: false };
}
