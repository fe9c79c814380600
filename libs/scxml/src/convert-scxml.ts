import type { JsonObject } from "@heddle/engine";
import { attribute, type Conversion, refuseOthers } from "./conversion.ts";
import { convertData } from "./convert-data.ts";
import { convertInitial, convertStates, STATES } from "./convert-states.ts";
import { documentMaxLength } from "./limits.ts";
import { createProblems, type Problem } from "./problem.ts";
import { readXml, type XmlElement } from "./read-xml.ts";
import { survey } from "./survey.ts";
import { writeYaml } from "./write-yaml.ts";

export interface ConvertedScxml {
  /** The definition, in YAML; only when no problem is an error. */
  yaml?: string;
  /** In the order of the document. */
  problems: Problem[];
}

export interface ConvertScxmlOptions {
  /** Id of the workflow; default: the document's name. */
  id?: string;
  /** Stands for the name of a document that has none: its file's. */
  name?: string;
}

/**
 * Converts a document of W3C SCXML to a definition. What cannot be said there is an error with its place and a remedy; nothing is
 * left out silently. Pure, and never throws for a bad document.
 */
export function convertScxml(given: string, options: ConvertScxmlOptions = {}): ConvertedScxml {
  const source = given.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  const problems = createProblems(source);
  if (source.length > documentMaxLength) {
    const hint = `at most ${documentMaxLength} characters`;
    problems.error(0, `the document has ${source.length} characters`, hint);
    return { problems: problems.list() };
  }
  const root = readXml(source, problems);
  if (root === undefined) return { problems: problems.list() };
  if (root.name !== "scxml") {
    problems.error(root.at, `the document begins with <${root.name}>`, "an SCXML document begins with <scxml>");
    return { problems: problems.list() };
  }
  const definition = convertRoot(root, options, survey(root, problems));
  const list = problems.list();
  return list.some(({ severity }) => severity === "error")
    ? { problems: list }
    : { yaml: writeYaml(definition), problems: list };
}

function convertRoot(root: XmlElement, options: ConvertScxmlOptions, conversion: Conversion): JsonObject {
  const { problems } = conversion;
  const attributes = ["version", "name", "initial", "datamodel", "binding"];
  refuseOthers(root, { attributes, children: [...STATES, "datamodel"] }, conversion);
  const datamodel = attribute(root, "datamodel");
  if (datamodel !== undefined && !["ecmascript", "null"].includes(datamodel.value.trim())) {
    const hint = 'datamodel="ecmascript", with expressions of comparisons, arithmetic, && || !, In() and _event.data';
    problems.error(datamodel.at, `the datamodel ${JSON.stringify(datamodel.value)} cannot be converted`, hint);
  }
  const name = attribute(root, "name")?.value.trim();
  const context = convertData(root, conversion);
  const wanted = options.id ?? name ?? options.name ?? "machine";
  return {
    workflow: {
      id: wanted.replaceAll(/[^A-Za-z0-9_-]+/g, "-").replace(/^(?![A-Za-z_])/, "_"),
      type: "state_machine",
      ...(name !== undefined && { name }),
      ...(attribute(root, "binding")?.value.trim() === "late" && { binding: "late" }),
      ...convertInitial(root, conversion),
      ...(context !== undefined && { context }),
      states: convertStates(root, conversion),
    },
  };
}
