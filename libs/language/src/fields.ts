import type { JsonObject } from "@heddle/engine";
import { didYouMean } from "@heddle/expression";
import { parseDuration } from "./duration.ts";
import { MAX_DURATION_MS } from "./limits.ts";
import type { Report } from "./report.ts";
import { describeSource } from "./source/source-node.ts";
import type { SourceList, SourceMap, SourceNode, SourceScalar } from "./source/source-node.ts";
import { toJson } from "./source/to-json.ts";

/**
 * The fields of one object of a definition, read by name. A field that is not there gives undefined; one that is wrong is
 * reported and gives undefined too, so that readers go on and all findings come at once. An empty value counts as absent.
 */
export interface Fields {
  map: SourceMap;
  report: Report;
  /** What the object is, for messages: `a tool node`. */
  what: string;
  find(name: string): SourceNode | undefined;
  /** Reports the absence. */
  require(name: string, hint: string): SourceNode | undefined;
  text(name: string, maxLength: number): string | undefined;
  boolean(name: string): boolean | undefined;
  number(name: string, range: Range): number | undefined;
  integer(name: string, range: Range): number | undefined;
  durationMs(name: string): number | undefined;
  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined;
  object(name: string): SourceMap | undefined;
  list(name: string): SourceList | undefined;
}

export interface Range {
  min: number;
  max: number;
}

/** `known`: every field that the object may have; others are reported. */
export function createFields(map: SourceMap, what: string, known: readonly string[], report: Report): Fields {
  reportUnknown(map, what, known, report);
  const find = (name: string): SourceNode | undefined => {
    const value = map.entries.get(name)?.value;
    return value === undefined || isEmpty(value) ? undefined : value;
  };
  const wrongType = (node: SourceNode, name: string, wanted: string): undefined => {
    report.add(
      "wrong-type",
      node,
      `"${name}" of ${what} is ${describeSource(node)} where ${wanted} is expected`,
      `write ${wanted}`,
    );
  };
  const ofType = <T extends "string" | "number" | "boolean">(
    name: string,
    type: T,
    wanted: string,
  ): { node: SourceScalar; value: never } | undefined => {
    const node = find(name);
    if (node === undefined) return undefined;
    if (node.kind !== "scalar" || typeof node.value !== type) return wrongType(node, name, wanted);
    return { node, value: node.value as never };
  };
  const number = (name: string, { min, max }: Range, isInteger: boolean): number | undefined => {
    const found = ofType(name, "number", isInteger ? "a whole number" : "a number");
    if (found === undefined) return undefined;
    const value: number = found.value;
    if (value >= min && value <= max && (!isInteger || Number.isInteger(value))) return value;
    report.add(
      "out-of-range",
      found.node,
      `"${name}" of ${what} is ${value}`,
      `${isInteger ? "a whole number" : "a number"} from ${min} to ${max}`,
    );
    return undefined;
  };
  return {
    map,
    report,
    what,
    find,
    require(name, hint) {
      const node = find(name);
      if (node === undefined)
        report.add("missing-field", map.entries.get(name)?.key ?? map, `${what} needs "${name}"`, hint);
      return node;
    },
    text(name, maxLength) {
      const found = ofType(name, "string", "text");
      if (found === undefined) return undefined;
      const value: string = found.value;
      if (value.length <= maxLength) return value;
      report.add(
        "out-of-range",
        found.node,
        `"${name}" of ${what} has ${value.length} characters`,
        `at most ${maxLength}`,
      );
      return undefined;
    },
    boolean: (name) => ofType(name, "boolean", "true or false")?.value,
    number: (name, range) => number(name, range, false),
    integer: (name, range) => number(name, range, true),
    durationMs(name) {
      const node = find(name);
      return node === undefined ? undefined : readDuration(node, `"${name}" of ${what}`, report);
    },
    oneOf(name, values) {
      const found = ofType(name, "string", `one of ${values.join(", ")}`);
      if (found === undefined) return undefined;
      const value: string = found.value;
      const known = values.find((candidate) => candidate === value);
      if (known === undefined) {
        report.add(
          "unknown-value",
          found.node,
          `"${name}" of ${what} cannot be "${value}"`,
          `${didYouMean(value, values) ?? "it is"} one of ${values.join(", ")}`,
        );
      }
      return known;
    },
    object(name) {
      const node = find(name);
      return node === undefined || node.kind === "map" ? node : wrongType(node, name, "an object");
    },
    list(name) {
      const node = find(name);
      return node === undefined || node.kind === "list" ? node : wrongType(node, name, "a list");
    },
  };
}

function isEmpty(node: SourceNode): boolean {
  return node.kind === "scalar" && node.value === null;
}

function reportUnknown(map: SourceMap, what: string, known: readonly string[], report: Report): void {
  for (const { name, key } of map.entries.values()) {
    if (known.includes(name)) continue;
    const hint = didYouMean(name, known) ?? `${what} has: ${known.join(", ")}`;
    report.add("unknown-field", key, `${what} has no field "${name}"`, hint);
  }
}

/** `30s`, `1h30m`, or a number of seconds. */
export function readDuration(node: SourceNode, what: string, report: Report): number | undefined {
  const value = node.kind === "scalar" ? node.value : undefined;
  const durationMs =
    typeof value === "number"
      ? Math.round(value * 1_000)
      : typeof value === "string"
        ? parseDuration(value)
        : undefined;
  if (durationMs === undefined) {
    const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : describeSource(node);
    report.add(
      "bad-duration",
      node,
      `${what} is ${shown}, which is no duration`,
      "e.g. 500ms, 30s, 5m, 1h30m, 2d, or a number of seconds",
    );
    return undefined;
  }
  if (durationMs >= 1 && durationMs <= MAX_DURATION_MS) return durationMs;
  report.add("out-of-range", node, `${what} is ${durationMs} ms`, "from 1ms to 366d");
  return undefined;
}

export function jsonObjectOf(node: SourceMap): JsonObject {
  return toJson(node) as JsonObject;
}
