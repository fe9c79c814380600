import { ExpressionError } from "./expression-error.ts";
import { MAX_STEPS, MAX_STRING_LENGTH } from "./limits.ts";
import type { Span } from "./syntax.ts";
import type { Scope } from "./types.ts";
import type { Value } from "./value.ts";

/** The state of one evaluation. */
export interface Frame {
  scope: Scope;
  /** Variables of the comprehensions around, by slot. */
  locals: Value[];
  stepsLeft: number;
}

/** A piece of syntax, compiled. Throws ExpressionError. */
export type Run = (frame: Frame) => Value;
/** The same for what may be missing: gives undefined instead of throwing when a name, field or element does not exist. */
export type Find = (frame: Frame) => Value | undefined;

export function createFrame(scope: Scope): Frame {
  return { scope, locals: [], stepsLeft: MAX_STEPS };
}

/** Takes `steps` from what the evaluation may still do. This, and not time, is what stops a wild expression: it is deterministic. */
export function spend(frame: Frame, steps: number, at: Span): void {
  frame.stepsLeft -= steps;
  if (frame.stepsLeft >= 0) return;
  throw errorAt(
    at,
    "limit",
    `the expression takes more than ${MAX_STEPS} steps`,
    "work on less data at once, or use a tool for it",
  );
}

/** 64 characters are a step: texts are copied and compared a lot faster than values. */
export function textCost(text: string): number {
  return 1 + text.length / 64;
}

/** For texts whose length is known before they are built. */
export function limitLength(length: number, at: Span): void {
  if (length <= MAX_STRING_LENGTH) return;
  throw errorAt(at, "limit", `the text would have ${length} characters; ${MAX_STRING_LENGTH} are allowed`);
}

/** @returns `text` itself, so that it can stand around what builds it. */
export function limitText(text: string, at: Span): string {
  limitLength(text.length, at);
  return text;
}

export function errorAt(at: Span, kind: ExpressionError["kind"], message: string, hint?: string): ExpressionError {
  return new ExpressionError({ kind, message, offset: at.offset, length: Math.max(at.end - at.offset, 1), hint });
}
