import { createDefinitionSchema } from "@heddle/language";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";

/** The JSON Schema of definitions, for editors. It is JSON with and without `--json`. */
export async function schema(context: CommandContext): Promise<ExitCode> {
  context.print(JSON.stringify(createDefinitionSchema(), undefined, 2));
  return EXIT.ok;
}
