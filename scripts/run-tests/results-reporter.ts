import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestCase, TestModule } from "vitest/node";
import type { Progress, Result } from "./result.ts";

/** The environment variable that names the file which results are appended to. */
export const RESULTS_FILE = "HEDDLE_TEST_RESULTS";

/**
 * Writes every result as soon as it is known, so that a run which hangs or crashes still counts what it did. vitest loads
 * this by path, which needs a default export.
 */
// oxlint-disable-next-line import/no-default-export
export default class ResultsReporter implements Reporter {
  readonly #path = process.env[RESULTS_FILE];

  onTestModuleStart(module: TestModule): void {
    this.#write({ file: pathOf(module), phase: "began" });
  }

  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result();
    if (state === "pending") return;
    const name = `${pathOf(test.module)} > ${test.fullName}`;
    // `context.skip("why")` leaves its reason as the note of the result.
    const note = state === "skipped" ? (test.result() as { note?: string }).note : undefined;
    this.#write({ name, state, reason: note ?? firstLine(errors?.[0]?.message) });
  }

  /** Errors of a file outside its tests: a failed import, a failed hook. Its tests are then missing or skipped. */
  onTestModuleEnd(module: TestModule): void {
    this.#write({ file: pathOf(module), phase: "ended" });
    const suites = [module, ...module.children.allSuites()];
    const errors = suites.flatMap((suite) => suite.errors());
    for (const error of errors) {
      this.#write({ name: `${pathOf(module)} > (file)`, state: "failed", reason: firstLine(error.message) });
    }
  }

  onTestRunEnd(_modules: readonly TestModule[], unhandled: readonly { message: string }[]): void {
    for (const error of unhandled) {
      this.#write({ name: "unhandled error", state: "failed", reason: firstLine(error.message) });
    }
  }

  #write(line: Result | Progress): void {
    if (this.#path !== undefined) appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
  }
}

function pathOf(module: TestModule): string {
  return relative(process.cwd(), module.moduleId);
}

function firstLine(text: string | undefined): string | undefined {
  return text?.split("\n", 1)[0];
}
