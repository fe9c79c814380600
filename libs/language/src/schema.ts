import { Ajv2020 } from "ajv/dist/2020.js";
import type { ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Json } from "@heddle/engine";
import { linearRegularExpression } from "@heddle/expression";
import { MAX_SCHEMA_LENGTH } from "./limits.ts";
import type { Report } from "./report.ts";
import type { SourceMap, SourceNode } from "./source/source-node.ts";
import { toJson } from "./source/to-json.ts";

/** Draft 2020-12. Unknown keywords are errors: `requried` would check nothing. A fresh one each time, because ids are global to an instance. */
function createAjv(): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    logger: false,
    // Else a small schema with many references to a large one becomes a huge program.
    inlineRefs: false,
    code: { regExp: linearRegularExpression },
  });
  addFormats.default(ajv);
  return ajv;
}

/** Reports what is wrong with a JSON Schema. @returns whether it can be used. */
export function checkSchema(source: SourceMap, what: string, report: Report): boolean {
  const schema = toJson(source);
  const { length } = JSON.stringify(schema);
  if (length > MAX_SCHEMA_LENGTH) {
    report.add("out-of-range", source, `${what} has ${length} characters as JSON`, `at most ${MAX_SCHEMA_LENGTH}`);
    return false;
  }
  const ajv = createAjv();
  try {
    if (ajv.validateSchema(schema as object) !== true) {
      const [error] = ajv.errors ?? [];
      const at = follow(source, error?.instancePath ?? "");
      report.add(
        "bad-schema",
        at,
        `${what} is no JSON Schema: ${error?.instancePath ?? ""} ${error?.message ?? "is not valid"}`,
        "see JSON Schema 2020-12",
      );
      return false;
    }
    ajv.compile(schema as object);
    return true;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    report.add(
      "bad-schema",
      findKeyword(source, message) ?? source,
      `${what} cannot be used: ${message}`,
      "JSON Schema 2020-12, without references to other files",
    );
    return false;
  }
}

/** Compiling takes milliseconds, and thousands of nodes may use the same tool. */
const compiled = new WeakMap<object, ValidateFunction | undefined>();

export function compileSchema(schema: object): ValidateFunction | undefined {
  if (!compiled.has(schema)) compiled.set(schema, tryCompile(schema));
  return compiled.get(schema);
}

function tryCompile(schema: object): ValidateFunction | undefined {
  try {
    return createAjv().compile(schema);
  } catch {
    // The schema belongs to a tool that is registered elsewhere: its faults are not this definition's.
    return undefined;
  }
}

/** The node that a JSON pointer leads to, or the last that is there on the way. */
export function follow(source: SourceNode, pointer: string): SourceNode {
  let node = source;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    const next =
      node.kind === "map" ? node.entries.get(name)?.value : node.kind === "list" ? node.items[Number(name)] : undefined;
    if (next === undefined) return node;
    node = next;
  }
  return node;
}

/** The place of the keyword that a message of ajv's strict mode quotes. */
function findKeyword(source: SourceNode, message: string): { start: number; end: number } | undefined {
  const keyword = /unknown keyword: "([^"]+)"/.exec(message)?.[1];
  return keyword === undefined ? undefined : findKey(source, keyword);
}

function findKey(node: SourceNode, name: string): { start: number; end: number } | undefined {
  if (node.kind === "scalar") return undefined;
  if (node.kind === "map" && node.entries.has(name)) return node.entries.get(name)!.key;
  const children = node.kind === "list" ? node.items : Array.from(node.entries.values(), ({ value }) => value);
  for (const child of children) {
    const found = findKey(child, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function isJsonObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
