import { existsSync } from "node:fs";
import { basename, extname } from "node:path";
import { DomainError } from "@heddle/errors";
import type { PublishDefinitionResponse } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { FindingSeverity } from "@heddle/proto/heddle/definition/v1/definition_pb.js";
import type { CommandContext } from "./context.ts";
import { readTextFile } from "./json-input.ts";
import { sourceMaxBytes } from "./limits.ts";
import { type ShownFinding, renderFinding } from "./render/finding.ts";

/** Publishes a file; its warnings, and the errors that make the server refuse it, are shown with their place in the file. */
export async function publishFile(
  context: CommandContext,
  path: string,
  options: { skipActivation?: boolean } = {},
): Promise<PublishDefinitionResponse> {
  const { io, namespace } = context;
  const source = await readTextFile(path, sourceMaxBytes);
  const style = context.style(io.stderr);
  const show = (finding: ShownFinding): void => context.say(renderFinding(finding, { path, source, style }).join("\n"));
  const { definitions } = await context.client();
  try {
    const request = { namespace, source, fileName: basename(path), skipActivation: options.skipActivation ?? false };
    const response = await definitions.publishDefinition(request, { signal: io.signal });
    for (const finding of response.findings) {
      show({ ...finding, severity: finding.severity === FindingSeverity.ERROR ? "error" : "warning" });
    }
    return response;
  } catch (error) {
    if (!(error instanceof DomainError) || error.reason !== "DEFINITION_INVALID" || context.json) throw error;
    const findings = error.violations.map((violation) => parseViolation(violation));
    for (const finding of findings) if (finding !== undefined) show(finding);
    // What was shown with its place need not be listed again.
    const rest = error.violations.filter((_, index) => findings[index] === undefined);
    const { kind, reason, metadata } = error;
    throw new DomainError({ kind, reason, message: error.message, metadata, violations: rest, cause: error });
  }
}

/** The service names the place of a finding as `<file>:<line>:<column>`. */
function parseViolation({ field, description }: { field: string; description: string }): ShownFinding | undefined {
  const place = /:(\d+):(\d+)$/.exec(field);
  if (place === null) return undefined;
  return { severity: "error", message: description, line: Number(place[1]), column: Number(place[2]) };
}

/** Publishes a file and gives the very version of it, also if somebody publishes another one in between. */
export async function publishAndSay(
  context: CommandContext,
  path: string,
): Promise<{ workflowId: string; version: number }> {
  const { version, created } = await publishFile(context, path);
  if (version === undefined) throw new Error("the server answered PublishDefinition without a version");
  if (created) context.say(`published ${version.workflowId} v${version.version}`);
  return { workflowId: version.workflowId, version: version.version };
}

/** Ids have no such endings; a file of another name is found by being there. */
export function looksLikeFile(workflow: string): boolean {
  return (
    [".yaml", ".yml", ".json"].includes(extname(workflow).toLowerCase()) ||
    /[/\\]/.test(workflow) ||
    existsSync(workflow)
  );
}
