import { SaxesParser } from "saxes";
import { depthMax } from "./limits.ts";
import type { Offset, Problems } from "./problem.ts";

export interface XmlElement {
  /** Without its prefix. */
  name: string;
  at: Offset;
  attributes: Map<string, XmlText>;
  children: XmlElement[];
  /** Text that stands directly in it, all in one. */
  text: XmlText;
}

export interface XmlText {
  value: string;
  /** Where it begins. */
  at: Offset;
  /** Written without entities, so that places inside of it can be told. */
  isPlain: boolean;
}

const NAMESPACES = new Set(["", "http://www.w3.org/2005/07/scxml"]);

/** Reads a document as a tree. Elements of other namespaces are left out, with a warning; undefined when it is no XML. */
export function readXml(source: string, problems: Problems): XmlElement | undefined {
  const parser = new SaxesParser({ xmlns: true, position: true });
  const open: XmlElement[] = [];
  let root: XmlElement | undefined;
  let failed = false;
  let start = 0;
  let attributes = new Map<string, XmlText>();
  /** Depth inside of elements that are left out. */
  let foreign = 0;

  parser.on("error", ({ message }) => {
    if (failed) return;
    failed = true;
    problems.error(parser.position, `this is no XML: ${message.replace(/^\d+:\d+: /, "")}`, "mend it first");
  });
  parser.on("opentagstart", () => {
    start = source.lastIndexOf("<", parser.position - 1);
    attributes = new Map();
  });
  parser.on("attribute", ({ name, value }) => {
    const end = parser.position - 1;
    const at = source.lastIndexOf(source[end] ?? '"', end - 1) + 1;
    attributes.set(name, { value, at, isPlain: source.slice(at, end) === value });
  });
  parser.on("opentag", ({ local, uri, name }) => {
    if (foreign > 0 || !NAMESPACES.has(uri)) {
      if (foreign === 0)
        problems.warn(
          start,
          `<${name}> belongs to no SCXML and is left out`,
          "nothing, if it only says something to an editor",
        );
      foreign += 1;
      return;
    }
    const text = { value: "", at: parser.position, isPlain: true };
    const element: XmlElement = { name: local, at: start, attributes, children: [], text };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
    if (open.length === depthMax + 1 && !failed) {
      failed = true;
      problems.error(
        start,
        `elements stand more than ${depthMax} deep inside one another`,
        "states need not be nested that deep",
      );
    }
  });
  parser.on("closetag", () => {
    if (foreign > 0) foreign -= 1;
    else open.pop();
  });
  const addText = (value: string, isPlain: boolean): void => {
    const text = open.at(-1)?.text;
    if (text === undefined || foreign > 0) return;
    if (text.value.trim() === "" && value.trim() !== "") text.at = source.lastIndexOf(value.trim(), parser.position);
    text.isPlain &&= isPlain;
    text.value += value;
  };
  parser.on("text", (value) => addText(value, source.slice(0, parser.position).includes(value)));
  parser.on("cdata", (value) => addText(value, true));
  parser.write(source).close();
  return failed ? undefined : root;
}
