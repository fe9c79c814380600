import { problemsMax } from "./limits.ts";

/** Something that cannot be converted, or that means a little less afterwards. */
export interface Problem {
  severity: "error" | "warning";
  message: string;
  /** What to do about it. */
  hint: string;
  /** Place in the SCXML document, from 1; columns in characters. */
  line: number;
  column: number;
}

/** Offset in the document. */
export type Offset = number;

export interface Problems {
  error(at: Offset, message: string, hint: string): void;
  warn(at: Offset, message: string, hint: string): void;
  /** In the order of the document. */
  list(): Problem[];
}

export function createProblems(source: string): Problems {
  const found: { severity: Problem["severity"]; at: Offset; message: string; hint: string }[] = [];
  const add = (severity: Problem["severity"], at: Offset, message: string, hint: string): void => {
    if (found.length < problemsMax) found.push({ severity, at, message, hint });
  };
  return {
    error: (at, message, hint) => add("error", at, message, hint),
    warn: (at, message, hint) => add("warning", at, message, hint),
    list: () =>
      found
        .toSorted((a, b) => a.at - b.at)
        .map(({ at, severity, message, hint }) => ({ severity, message, hint, ...placeOf(source, at) })),
  };
}

function placeOf(source: string, at: Offset): { line: number; column: number } {
  const before = source.slice(0, at);
  const start = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: Array.from(before.slice(start)).length + 1 };
}
