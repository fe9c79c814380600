import type { Finding } from "./finding.ts";
import { MAX_FINDINGS } from "./limits.ts";
import { RULES } from "./rules.ts";
import type { RuleName } from "./rules.ts";
import { createLines, findPath } from "./source/locate.ts";
import type { SourceNode, Span } from "./source/source-node.ts";

/** Collects findings while a definition is read; places are offsets until the end. */
export interface Report {
  /** A hint that takes time, such as a search for similar names, is a function: it is only called for findings that are kept. */
  add(rule: RuleName, at: Span, message: string, hint: string | (() => string)): void;
  /** 1-based line of an offset, for messages that name a second place. */
  lineOf(offset: number): number;
  /** In the order of the source; at most `MAX_FINDINGS`, errors before they would be cut off. */
  findings(root: SourceNode | undefined): Finding[];
  hasErrors(): boolean;
}

interface Entry {
  rule: RuleName;
  at: Span;
  message: string;
  hint: string | (() => string);
}

export function createReport(source: string): Report {
  const lines = createLines(source);
  const entries: Entry[] = [];
  const seen = new Set<string>();
  let errors = 0;
  return {
    add(rule, at, message, hint) {
      // The first errors are kept, and a warning never takes the place of an error.
      const isError = RULES[rule].severity === "error";
      if (isError) errors += 1;
      // What an alias stands for is looked at once for each alias.
      const key = `${rule} ${at.start} ${message}`;
      if (seen.has(key)) return;
      seen.add(key);
      if (entries.length < (isError ? 2 : 1) * MAX_FINDINGS) entries.push({ rule, at, message, hint });
    },
    lineOf: (offset) => lines.position(offset).line,
    hasErrors: () => errors > 0,
    findings(root) {
      const severity = (entry: Entry): number => (RULES[entry.rule].severity === "error" ? 0 : 1);
      const kept = entries.toSorted((left, right) => severity(left) - severity(right)).slice(0, MAX_FINDINGS);
      kept.sort((left, right) => left.at.start - right.at.start || severity(left) - severity(right));
      return kept.map(({ rule, at, message, hint: hintOrSearch }) => {
        const hint = typeof hintOrSearch === "string" ? hintOrSearch : hintOrSearch();
        const start = lines.position(at.start);
        const end = lines.position(Math.max(at.end, at.start));
        const path = root === undefined ? "" : findPath(root, at);
        const { id, severity: level } = RULES[rule];
        const place = { line: start.line, column: start.column, endLine: end.line, endColumn: end.column };
        return { ruleId: id, rule, severity: level, message, hint, ...place, path };
      });
    },
  };
}
