import type { JsonObject } from "@heddle/engine";
import type { NodeBody } from "../draft.ts";
import { jsonObjectOf } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { MAX_ID_LENGTH } from "../limits.ts";
import { isText, readTemplate, rejectExpression } from "./reader.ts";
import type { NodeReader } from "./reader.ts";
import { readRetry } from "./retry.ts";

export const TASK_FIELDS = [
  "inputs",
  "retry",
  "timeout",
  "heartbeat_timeout",
  "progress_timeout",
  "queue_timeout",
  "total_timeout",
  "priority",
] as const;

export function readTool(reader: NodeReader): NodeBody {
  const { fields } = reader;
  const nameAt = fields.require("tool", "the name of the tool, e.g. tool: http_request");
  rejectExpression(fields, "tool", "choose between tools with a switch");
  const taskName = fields.text("tool", MAX_ID_LENGTH) ?? "";
  return { kind: "task", taskType: "tool", taskName, ...(nameAt === undefined ? {} : { nameAt }), ...readTask(reader) };
}

/** `agent: name`, or an agent that is described in place. */
export function readAgent(reader: NodeReader, id: string, declared: ReadonlyMap<string, JsonObject>): NodeBody {
  const { fields } = reader;
  const at = fields.require("agent", "the name of the agent, or its description: { provider, model, prompt }");
  if (at?.kind === "map") {
    const agent = jsonObjectOf(at);
    const name = at.entries.get("id")?.value;
    return {
      kind: "task",
      taskType: "agent",
      taskName: name !== undefined && isText(name) ? name.value : id,
      agent,
      ...readTask(reader),
    };
  }
  rejectExpression(fields, "agent", "choose between agents with a switch");
  const taskName = fields.text("agent", MAX_ID_LENGTH) ?? "";
  const agent = declared.get(taskName);
  const described = agent === undefined ? {} : { agent };
  return {
    kind: "task",
    taskType: "agent",
    taskName,
    ...described,
    ...(at === undefined ? {} : { nameAt: at }),
    ...readTask(reader),
  };
}

function readTask(reader: NodeReader) {
  const { fields } = reader;
  const inputs = fields.find("inputs") === undefined ? undefined : readTemplate(reader, "inputs");
  const times = readTimeouts(fields);
  const priority = fields.integer("priority", { min: 0, max: 9 });
  return {
    retry: readRetry(fields, reader),
    ...(inputs === undefined ? {} : { inputs: inputs.value, inputsAt: inputs.at }),
    ...times,
    ...(priority === undefined ? {} : { priority }),
  };
}

function readTimeouts(fields: Fields) {
  const timeoutMs = fields.durationMs("timeout");
  const heartbeatTimeoutMs = fields.durationMs("heartbeat_timeout");
  const progressTimeoutMs = fields.durationMs("progress_timeout");
  const queueTimeoutMs = fields.durationMs("queue_timeout");
  const totalTimeoutMs = fields.durationMs("total_timeout");
  const parts = { timeout: timeoutMs, heartbeat_timeout: heartbeatTimeoutMs, progress_timeout: progressTimeoutMs };
  warnUseless(fields, parts, "timeout", timeoutMs);
  warnUseless(fields, { ...parts, queue_timeout: queueTimeoutMs }, "total_timeout", totalTimeoutMs);
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(heartbeatTimeoutMs === undefined ? {} : { heartbeatTimeoutMs }),
    ...(progressTimeoutMs === undefined ? {} : { progressTimeoutMs }),
    ...(queueTimeoutMs === undefined ? {} : { queueTimeoutMs }),
    ...(totalTimeoutMs === undefined ? {} : { totalTimeoutMs }),
  };
}

/** A part that takes no less than the whole can never pass first. */
function warnUseless(
  fields: Fields,
  parts: Record<string, number | undefined>,
  whole: string,
  wholeMs: number | undefined,
): void {
  if (wholeMs === undefined) return;
  for (const [name, partMs] of Object.entries(parts)) {
    if (name === whole || partMs === undefined || partMs < wholeMs) continue;
    const message = `"${name}" of ${fields.what} is ${partMs} ms, and "${whole}" is over after ${wholeMs} ms`;
    fields.report.add(
      "useless-timeout",
      fields.find(name)!,
      message,
      `make it shorter than "${whole}", or leave it out`,
    );
  }
}
