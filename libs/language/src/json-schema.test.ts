import { readFileSync, readdirSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { isMap, parseDocument, visit } from "yaml";
import { compileDefinition, createDefinitionSchema } from "./index.ts";

const DOCS = new URL("../../../docs/", import.meta.url);
const validate = new Ajv({ strict: false, allErrors: true }).compile(createDefinitionSchema());

/** Every example of every page, as whole definitions without findings. */
const examples = readdirSync(DOCS)
  .filter((name) => name.endsWith(".md") && name !== "rules.md")
  .flatMap((name) => {
    const text = readFileSync(new URL(name, DOCS), "utf8");
    return [...text.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, example = ""]) => ({
      name,
      source: toDefinition(example),
    }));
  })
  .filter(({ source }) => isGood(source));

describe("the JSON Schema of the dialect", () => {
  test.each(examples.map(({ name, source }) => [name, source]))("allows what compiles: %s", (_name, source) => {
    expect(errorsOf(parseDocument(source).toJS())).toEqual([]);
  });

  test("knows the fields that the compiler knows, in every object, and no others", () => {
    const seen = new Set<string>();
    const wrong: string[] = [];
    for (const { source } of examples) {
      for (const { compiled, changed, add } of objectsOf(source)) {
        if (compiled === undefined || seen.has(compiled.what)) continue;
        seen.add(compiled.what);
        if (!refused(changed, UNKNOWN)) wrong.push(`${compiled.what} allows ${UNKNOWN}`);
        for (const field of compiled.fields) {
          if (refused(add(field), field)) wrong.push(`${compiled.what} lacks ${field}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(seen.size).toBeGreaterThan(40);
  });

  test.each([
    ["a type that does not exist", { workflow: { id: "w", type: "dag", nodes: [{ id: "a", type: "tol" }] } }],
    ["a tool without its name", { workflow: { id: "w", type: "dag", nodes: [{ id: "a", type: "tool" }] } }],
    ["no nodes", { workflow: { id: "w", type: "dag" } }],
    ["no workflow", {}],
    ["a state without a name", { workflow: { id: "w", type: "state_machine", states: [{}] } }],
    [
      "an attempt too many",
      {
        workflow: { id: "w", type: "dag", nodes: [{ id: "a", type: "tool", tool: "t", retry: { max_attempts: 101 } }] },
      },
    ],
  ])("refuses %s", (_what, definition) => {
    expect(errorsOf(definition)).not.toEqual([]);
  });
});

const UNKNOWN = "zzzzqqqq";

/** Each object of a definition, with a field that nobody knows: what the compiler then says that it has. */
function* objectsOf(source: string) {
  let count = 0;
  visit(parseDocument(source), { Map: () => void count++ });
  for (let index = 0; index < count; index++) {
    const add = (field: string): string => addField(source, index, field);
    const changed = add(UNKNOWN);
    const finding = compileDefinition(changed, { workflowExists: () => true }).findings.find(
      ({ rule, message }) => rule === "unknown-field" && message.includes(UNKNOWN),
    );
    const [, what, fields] = /^(.*?) has: (.*)$/s.exec(finding?.hint ?? "") ?? [];
    const compiled =
      what === undefined ? undefined : { what: what.replaceAll(/ "[\w-]+"$/g, ""), fields: (fields ?? "").split(", ") };
    yield { compiled, changed, add };
  }
}

function addField(source: string, at: number, field: string): string {
  const document = parseDocument(source);
  let index = 0;
  visit(document, {
    Map(_key, map) {
      if (index++ === at && isMap(map) && !map.has(field)) map.set(field, null);
    },
  });
  return String(document);
}

function refused(source: string, field: string): boolean {
  validate(parseDocument(source).toJS());
  return (validate.errors ?? []).some(
    ({ keyword, params }) => keyword === "additionalProperties" && params["additionalProperty"] === field,
  );
}

function errorsOf(definition: unknown): string[] {
  validate(definition);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function isGood(source: string): boolean {
  const { findings } = compileDefinition(source, { workflowExists: () => true });
  return !findings.some(({ severity }) => severity === "error");
}

/** A whole definition, or nodes of one. */
function toDefinition(example: string): string {
  if (example.startsWith("workflow:")) return example;
  return `workflow:\n  id: w\n  type: dag\n  nodes:\n${example.replaceAll(/^(?=.)/gm, "    ")}`;
}
