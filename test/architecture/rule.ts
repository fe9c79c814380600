import { matchesGlob } from "node:path";
import type { SourceTree } from "./source-tree.ts";

/** One place that breaks a rule. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  /** What stands there, in a few words: `imports node:fs`. */
  readonly what: string;
}

/** One rule about a subject: the tree of sources, or something else that can be checked as a whole. */
export interface Rule<Subject = SourceTree> {
  /** Kebab-case; the seeds name it. */
  readonly id: string;
  /** The rule as one sentence. */
  readonly rule: string;
  /** What breaks when it is not kept. */
  readonly why: string;
  /** What to do instead. */
  readonly remedy: string;
  check(subject: Subject): Finding[];
}

/** What a person reads when a rule fails: every place, then why the rule is there and the way out. Empty when all is well. */
export function explain(rule: Omit<Rule, "check">, findings: readonly Finding[]): string {
  if (findings.length === 0) return "";
  const places = findings.map(({ file, line, what }) => `  ${file}:${line}  ${what}`);
  return [`${rule.id}: ${rule.rule}`, ...places, `  why: ${rule.why}`, `  remedy: ${rule.remedy}`, ""].join("\n");
}

/** Whether a path is one of `globs` (`*` within one folder, `**` across folders). */
export function isWithin(path: string, globs: readonly string[]): boolean {
  return globs.some((glob) => matchesGlob(path, glob));
}

/** Tests may reach for more than the code that they test: they need files, clocks and servers. */
export function isTest(path: string): boolean {
  return path.endsWith(".test.ts") || isWithin(path, ["{libs,services,examples}/*/test/**", "test/**"]);
}

/** The package of a bare specifier (`@scope/name/sub` is of `@scope/name`); undefined for paths and for Node itself. */
export function packageName(specifier: string): string | undefined {
  if (specifier.startsWith(".") || specifier.startsWith("/") || specifier.startsWith("node:")) return undefined;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** The line of the first occurrence of `needle`, 1 when there is none. */
export function lineOfText(text: string, needle: string): number {
  const at = text.indexOf(needle);
  return at === -1 ? 1 : text.slice(0, at).split("\n").length;
}
