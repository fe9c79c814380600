import { readFileSync } from "node:fs";

/** The outcome of one test or check. The reporter writes one as a line of JSON as soon as it is known. */
export interface Result {
  /** What identifies it, also in known-failing.txt: `path/of.test.ts > suite > test`, or the name of a check. */
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  /** Why it was skipped, or the first line of why it failed. */
  readonly reason?: string;
}

/** That a test file began or ended, so that a run which hangs can be told by the file that it hangs in. */
export interface Progress {
  readonly file: string;
  readonly phase: "began" | "ended";
}

export interface Report {
  readonly results: readonly Result[];
  /** Test files that began and did not end. */
  readonly unfinished: readonly string[];
}

/** Reads what a run has reported so far. A last line that was cut by a kill is left out. */
export function readReport(path: string): Report {
  const lines = readLines(path);
  const ended = new Set(lines.filter((line) => "phase" in line && line.phase === "ended").map(fileOfProgress));
  const began = lines.filter((line) => "phase" in line && line.phase === "began").map(fileOfProgress);
  return {
    results: lines.filter((line) => "state" in line),
    unfinished: began.filter((file) => !ended.has(file)),
  };
}

function fileOfProgress(line: Result | Progress): string {
  return "file" in line ? line.file : "";
}

function readLines(path: string): (Result | Progress)[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return []; // the run ended before its first result
  }
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Result | Progress);
}

/** The closing line: `12 passed, 0 failed`, and `, 3 skipped` when there are any. */
export function summaryLine(results: readonly Result[]): string {
  const count = (state: Result["state"]): number => results.filter((result) => result.state === state).length;
  const skipped = count("skipped");
  return `${count("passed")} passed, ${count("failed")} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}
