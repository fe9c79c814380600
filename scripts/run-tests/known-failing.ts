import type { Result } from "./result.ts";

/** A test that cannot pass yet. */
export interface KnownFailing {
  readonly name: string;
  readonly reason: string;
}

/**
 * Parses known-failing.txt: one test a line, `path/of.test.ts > suite > test  # reason`; lines that begin with # are
 * comments. Throws when a line gives no reason: then nobody could tell when it may go.
 */
export function parseKnownFailing(text: string): KnownFailing[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "" || line.startsWith("#")) return [];
    const [name = "", reason = ""] = line.split(/\s+#\s+/, 2);
    if (reason.trim() === "") {
      throw new Error(`known-failing.txt:${index + 1}: "${name.trim()}" has no reason; write it behind " # "`);
    }
    return [{ name: name.trim(), reason: reason.trim() }];
  });
}

/**
 * Turns an expected failure into a skip with its reason, and an unexpected pass into a failure. A listed test that did not
 * run although its file did is a failure too: it was renamed or removed, and the line with it is stale.
 */
export function applyKnownFailing(results: readonly Result[], known: readonly KnownFailing[]): Result[] {
  const reasons = new Map(known.map(({ name, reason }) => [name, reason]));
  const seen = new Set(results.map(({ name }) => name));
  const files = new Set(results.map(({ name }) => fileOf(name)));
  const judged = results.map((result): Result => {
    const reason = reasons.get(result.name);
    if (reason === undefined || result.state === "skipped") return result;
    if (result.state === "failed") return { ...result, state: "skipped", reason: `known to fail: ${reason}` };
    return { ...result, state: "failed", reason: "passes now: remove its line from known-failing.txt" };
  });
  const stale = known
    .filter(({ name }) => !seen.has(name) && files.has(fileOf(name)))
    .map(
      ({ name }): Result => ({ name, state: "failed", reason: "is in known-failing.txt, but no test has this name" }),
    );
  return [...judged, ...stale];
}

/** The file of a test, from its name. */
export function fileOf(name: string): string {
  return name.split(" > ", 1)[0] ?? name;
}
