import { type Diagram, draw, renderDot, renderMermaid, renderText } from "@heddle/diagram";
import { compileDefinition, type DefinitionPlan } from "@heddle/language";
import { CliError } from "../cli-error.ts";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { readTextFile } from "../json-input.ts";
import { sourceMaxBytes } from "../limits.ts";
import { looksLikeFile } from "../publish-file.ts";
import { renderFinding } from "../render/finding.ts";

export interface GraphOptions {
  format: "text" | "dot" | "mermaid";
  workflowVersion?: number;
}

const RENDERERS: Readonly<Record<GraphOptions["format"], (diagram: Diagram) => string>> = {
  text: renderText,
  dot: renderDot,
  mermaid: renderMermaid,
};

/** Draws a definition: of a file without a server, of an id as it is published. */
export async function graph(
  context: CommandContext,
  workflow: string,
  { format, workflowVersion }: GraphOptions,
): Promise<ExitCode> {
  const plan = looksLikeFile(workflow)
    ? await compileFile(context, workflow)
    : await readPlan(context, workflow, workflowVersion ?? 0);
  const diagram = draw(plan);
  if (context.json) context.printJson(diagram);
  else context.io.stdout.write(RENDERERS[format](diagram));
  return EXIT.ok;
}

async function compileFile(context: CommandContext, path: string): Promise<DefinitionPlan> {
  const source = await readTextFile(path, sourceMaxBytes);
  const { plan, findings } = compileDefinition(source);
  if (plan !== undefined) return plan;
  const style = context.style(context.io.stderr);
  for (const finding of findings) context.say(renderFinding(finding, { path, source, style }).join("\n"));
  throw new CliError(`${path} is not valid, so there is nothing to draw`, {
    reason: "DEFINITION_INVALID",
    hint: `heddle validate ${path}`,
  });
}

async function readPlan(context: CommandContext, workflowId: string, version: number): Promise<DefinitionPlan> {
  const { io, namespace } = context;
  const { definitions } = await context.client();
  const { planJson } = await definitions.getPlan({ namespace, workflowId, version }, { signal: io.signal });
  return JSON.parse(planJson) as DefinitionPlan;
}
