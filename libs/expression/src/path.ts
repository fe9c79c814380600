import { errorAt } from "./frame.ts";
import type { ExpressionError } from "./expression-error.ts";
import type { Find, Frame, Run } from "./frame.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { Span } from "./syntax.ts";
import { describeType, isObject, keyText, member } from "./value.ts";
import type { Value } from "./value.ts";

/** A path is what `.` and `[]` lead to from a base: one loop instead of a call per step, and one place that explains what is missing. */
export interface Path {
  base: Base;
  steps: PathStep[];
}
export type Base =
  | { kind: "name"; name: string; span: Span }
  | { kind: "local"; slot: number; span: Span }
  | { kind: "value"; run: Run; span: Span };
export interface PathStep {
  /** Constant, or computed by `run`. */
  key: Value;
  run?: Run;
  /** From the start of the path to the end of this step. */
  span: Span;
  keySpan: Span;
}

/** undefined: the base or some step does not exist. */
export function compileFind({ base, steps }: Path): Find {
  const findBase = compileBase(base);
  return (frame) => {
    let value = findBase(frame);
    for (const step of steps) {
      if (value === undefined) return undefined;
      value = member(value, step.run === undefined ? step.key : step.run(frame));
    }
    return value;
  };
}

function compileBase(base: Base): Find {
  switch (base.kind) {
    case "name":
      return (frame) => frame.scope.get(base.name);
    case "local":
      return (frame) => frame.locals[base.slot];
    case "value":
      return base.run;
  }
}

/** Walks a path that ended in nothing once more, to say where and why. */
export function explainMissing({ base, steps }: Path, frame: Frame, source: string): ExpressionError {
  let value = compileBase(base)(frame);
  if (value === undefined) return unknownName(base, frame);
  let shown = source.slice(base.span.offset, base.span.end);
  for (const step of steps) {
    const key = step.run === undefined ? step.key : step.run(frame);
    const next = member(value, key);
    if (next === undefined) return missingMember(shown, value, key, step.keySpan);
    shown = source.slice(base.span.offset, step.span.end);
    value = next;
  }
  throw new Error("a path that is there cannot be explained as missing");
}

function unknownName(base: Base, frame: Frame): ExpressionError {
  const name = base.kind === "name" ? base.name : "the variable";
  const known = [...(frame.scope.names?.() ?? [])];
  const list = known.length === 0 ? "" : `; there is: ${enumerate(known)}`;
  return errorAt(
    base.span,
    "missing",
    `nothing is called "${name}"${list}`,
    didYouMean(name, known) ?? "give it a default: name ?? value",
  );
}

function missingMember(shown: string, value: Value, key: Value, at: Span): ExpressionError {
  const fallback = "where it may be absent, give a default: path ?? value";
  if (Array.isArray(value)) {
    if (typeof key === "number" || typeof key === "bigint") {
      return errorAt(
        at,
        "missing",
        `"${shown}" has no element ${key}; it has ${value.length}, counted from 0`,
        fallback,
      );
    }
    return errorAt(
      at,
      "missing",
      `"${shown}" is a list, so it has no field ${JSON.stringify(keyText(key))}`,
      `take an element: ${shown}[0]`,
    );
  }
  if (isObject(value)) {
    const known = Object.keys(value);
    const list = known.length === 0 ? "it is empty" : `it has: ${enumerate(known)}`;
    return errorAt(
      at,
      "missing",
      `"${shown}" has no field ${JSON.stringify(keyText(key))}; ${list}`,
      didYouMean(keyText(key), known) ?? fallback,
    );
  }
  return errorAt(
    at,
    "missing",
    `"${shown}" is ${describeType(value)}, so it has no field ${JSON.stringify(keyText(key))}`,
    fallback,
  );
}

function enumerate(names: string[]): string {
  const shown = names.slice(0, 12).join(", ");
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown;
}
