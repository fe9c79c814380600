import type { Json, JsonObject } from "@heddle/engine";
import {
  attribute,
  childrenOf,
  contentOf,
  type Conversion,
  locationOf,
  refuseOthers,
  templateOf,
} from "./conversion.ts";
import type { XmlElement, XmlText } from "./read-xml.ts";

/** `<datamodel>` of the document or of a state: fields of the context. */
export function convertData(parent: XmlElement, conversion: Conversion): JsonObject | undefined {
  const context: JsonObject = {};
  for (const datamodel of childrenOf(parent, "datamodel")) {
    refuseOthers(datamodel, { attributes: [], children: ["data"] }, conversion);
    for (const data of childrenOf(datamodel, "data")) {
      refuseOthers(data, { attributes: ["id", "expr"], children: [] }, conversion);
      const id = attribute(data, "id");
      const expr = attribute(data, "expr");
      if (id === undefined) conversion.problems.error(data.at, "<data> has no id", "name the field");
      else context[locationOf(id, conversion)] = expr === undefined ? written(data) : templateOf(expr, conversion);
    }
  }
  return Object.keys(context).length === 0 ? undefined : context;
}

function written({ text }: XmlElement): Json {
  return text.value.trim() === "" ? null : contentOf(text);
}

/** `<param>`, `namelist` and `<content>` of an element: what comes with an event, or goes into an invocation. */
export function convertPayload(element: XmlElement, conversion: Conversion): Json | undefined {
  const [content] = childrenOf(element, "content");
  if (content !== undefined) return convertContent(content, conversion);
  const fields: JsonObject = {};
  const namelist = attribute(element, "namelist");
  for (const { value, at } of wordsOf(namelist)) {
    const text: XmlText = { value, at, isPlain: true };
    fields[value] = templateOf(text, conversion);
  }
  for (const param of childrenOf(element, "param")) {
    refuseOthers(param, { attributes: ["name", "expr", "location"], children: [] }, conversion);
    const name = attribute(param, "name");
    const value = attribute(param, "expr") ?? attribute(param, "location");
    if (name === undefined || value === undefined) {
      conversion.problems.error(
        param.at,
        "<param> needs a name and an expr",
        'e.g. <param name="total" expr="total"/>',
      );
    } else fields[name.value] = templateOf(value, conversion);
  }
  return Object.keys(fields).length === 0 ? undefined : fields;
}

function convertContent(content: XmlElement, conversion: Conversion): Json | undefined {
  refuseOthers(content, { attributes: ["expr"], children: [] }, conversion);
  const expr = attribute(content, "expr");
  if (expr !== undefined) return templateOf(expr, conversion);
  return content.text.value.trim() === "" ? undefined : contentOf(content.text);
}

/** The words of a list with blanks between, each with its place. */
export function wordsOf(text: XmlText | undefined): { value: string; at: number }[] {
  if (text === undefined) return [];
  return [...text.value.matchAll(/\S+/g)].map(({ 0: value, index }) => ({
    value,
    at: text.at + (text.isPlain ? index : 0),
  }));
}

/** `1s`, `1.5s`, `200ms` of CSS, as definitions have it. */
export function durationOf(text: XmlText, { problems }: Conversion): string {
  const found = /^\s*(\d+(?:\.\d+)?|\.\d+)(ms|s)\s*$/.exec(text.value);
  if (found === null) {
    problems.error(text.at, `${JSON.stringify(text.value)} is no duration`, "e.g. 500ms, 1.5s");
    return "0s";
  }
  return `${found[1]!.replace(/^\./, "0.")}${found[2]}`;
}

/** An expression that gives such a text. */
export function delayOf(text: XmlText, conversion: Conversion): Json {
  const template = templateOf(text, conversion);
  return typeof template === "string" && !template.startsWith("${")
    ? durationOf({ ...text, value: template }, conversion)
    : template;
}
