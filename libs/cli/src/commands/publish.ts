import { PublishDefinitionResponseSchema } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { messageJson } from "../message-json.ts";
import { publishFile } from "../publish-file.ts";

export interface PublishOptions {
  /** `--no-activate`: store the version, keep the active one. */
  activate: boolean;
}

/** Publishes files in the given order and stops at the first that is refused. */
export async function publish(
  context: CommandContext,
  files: readonly string[],
  options: PublishOptions,
): Promise<ExitCode> {
  const published = [];
  for (const path of files) {
    const response = await publishFile(context, path, { skipActivation: !options.activate });
    published.push(messageJson(PublishDefinitionResponseSchema, response));
    if (context.json) continue;
    const { workflowId, version, active } = response.version ?? { workflowId: "", version: 0, active: false };
    const what = response.created ? "published" : "unchanged";
    context.print(`${what} ${workflowId} v${version}${active ? " (active)" : ""}`);
  }
  if (context.json) context.printJson({ published });
  return EXIT.ok;
}
