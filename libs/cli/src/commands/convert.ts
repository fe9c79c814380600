import { basename, extname } from "node:path";
import { compileDefinition } from "@heddle/language";
import { convertScxml, documentMaxLength } from "@heddle/scxml";
import { CliError } from "../cli-error.ts";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { readTextFile } from "../json-input.ts";
import { renderFinding } from "../render/finding.ts";

/** Converts an SCXML document: the definition goes to stdout, what is to be said about it to stderr. */
export async function convert(context: CommandContext, path: string, options: { id?: string }): Promise<ExitCode> {
  const source = await readTextFile(path, documentMaxLength);
  const { yaml, problems } = convertScxml(source, { ...options, name: basename(path, extname(path)) });
  const style = context.style(context.io.stderr);
  for (const problem of problems) context.say(renderFinding(problem, { path, source, style }).join("\n"));
  if (context.json) context.printJson({ ...(yaml !== undefined && { yaml }), problems });
  if (yaml === undefined) {
    if (context.json) return EXIT.invalid;
    throw new CliError(`${path} cannot be converted as it is`, {
      reason: "NOT_CONVERTIBLE",
      hint: "what is told above has no counterpart; docs/statecharts.md says what has",
    });
  }
  if (!context.json) context.io.stdout.write(yaml);
  // What the compiler says about the definition is about the machine itself, whichever language it is written in.
  for (const finding of compileDefinition(yaml).findings) {
    context.say(renderFinding(finding, { path: "converted", source: yaml, style }).join("\n"));
  }
  return EXIT.ok;
}
