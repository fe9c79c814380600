import { compileDefinition } from "@heddle/language";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { readTextFile } from "../json-input.ts";
import { sourceMaxBytes } from "../limits.ts";
import { renderFinding } from "../render/finding.ts";

export interface ValidateOptions {
  /** Warnings count as errors. */
  strict?: boolean;
}

/** Compiles files here, without a server, and shows everything that is wrong with them. */
export async function validate(
  context: CommandContext,
  files: readonly string[],
  options: ValidateOptions,
): Promise<ExitCode> {
  const { stdout } = context.io;
  const style = context.style(stdout);
  const results = [];
  for (const path of files) {
    const source = await readTextFile(path, sourceMaxBytes);
    const { findings, summary } = compileDefinition(source);
    const isValid = options.strict ? findings.length === 0 : !findings.some(({ severity }) => severity === "error");
    results.push({ file: path, valid: isValid, findings, ...(summary && { summary }) });
    if (context.json) continue;
    for (const finding of findings) context.print(`${renderFinding(finding, { path, source, style }).join("\n")}\n`);
    context.print(
      `${path}: ${verdict(findings, style)}${summary ? style.dim(`, ${count(summary.nodeCount, "node")}`) : ""}`,
    );
  }
  if (context.json) context.printJson({ valid: results.every(({ valid }) => valid), files: results });
  return results.every(({ valid }) => valid) ? EXIT.ok : EXIT.invalid;
}

function verdict(
  findings: readonly { severity: "error" | "warning" }[],
  style: ReturnType<CommandContext["style"]>,
): string {
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const warnings = findings.length - errors;
  if (errors > 0) return style.red(`${count(errors, "error")}, ${count(warnings, "warning")}`);
  return warnings > 0 ? style.yellow(`valid, ${count(warnings, "warning")}`) : style.green("valid");
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
