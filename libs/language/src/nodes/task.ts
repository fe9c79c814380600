import type { JsonObject, RetryPolicy } from "@heddle/engine";
import type { NodeBody } from "../draft.ts";
import { createFields, jsonObjectOf } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { MAX_ATTEMPTS, MAX_BACKOFF, MAX_ID_LENGTH, MAX_NAME_LENGTH, MAX_NON_RETRYABLE } from "../limits.ts";
import { describeSource } from "../source/source-node.ts";
import { isText, readTemplate, rejectExpression } from "./reader.ts";
import type { NodeReader } from "./reader.ts";

export const TASK_FIELDS = ["inputs", "retry", "timeout", "heartbeat_timeout", "priority"] as const;
const RETRY_FIELDS = [
  "max_attempts",
  "initial_interval",
  "backoff",
  "max_interval",
  "jitter",
  "non_retryable",
] as const;
const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 3,
  initialIntervalMs: 1_000,
  backoff: 2,
  maxIntervalMs: 60_000,
  jitter: 0.2,
  nonRetryable: [],
};

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
  const timeoutMs = fields.durationMs("timeout");
  const heartbeatTimeoutMs = fields.durationMs("heartbeat_timeout");
  const priority = fields.integer("priority", { min: 0, max: 9 });
  return {
    retry: readRetry(fields),
    ...(inputs === undefined ? {} : { inputs: inputs.value, inputsAt: inputs.at }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(heartbeatTimeoutMs === undefined ? {} : { heartbeatTimeoutMs }),
    ...(priority === undefined ? {} : { priority }),
  };
}

export function readRetry(node: Fields): RetryPolicy {
  const map = node.object("retry");
  if (map === undefined) return DEFAULT_RETRY;
  const fields = createFields(map, "a retry policy", RETRY_FIELDS, node.report);
  const maxAttempts = fields.integer("max_attempts", { min: 1, max: MAX_ATTEMPTS }) ?? DEFAULT_RETRY.maxAttempts;
  const initialIntervalMs = fields.durationMs("initial_interval") ?? DEFAULT_RETRY.initialIntervalMs;
  const maxIntervalMs = fields.durationMs("max_interval");
  if (maxIntervalMs !== undefined && maxIntervalMs < initialIntervalMs) {
    const at = fields.find("max_interval") ?? map;
    node.report.add(
      "out-of-range",
      at,
      `"max_interval" is ${maxIntervalMs} ms, less than "initial_interval", ${initialIntervalMs} ms`,
      "make it at least as long",
    );
  }
  return {
    maxAttempts,
    initialIntervalMs,
    backoff: fields.number("backoff", { min: 1, max: MAX_BACKOFF }) ?? DEFAULT_RETRY.backoff,
    maxIntervalMs: maxIntervalMs ?? Math.max(DEFAULT_RETRY.maxIntervalMs, initialIntervalMs),
    jitter: fields.number("jitter", { min: 0, max: 1 }) ?? DEFAULT_RETRY.jitter,
    nonRetryable: readErrorTypes(fields),
  };
}

function readErrorTypes(fields: Fields): string[] {
  const list = fields.list("non_retryable");
  if (list === undefined) return [];
  if (list.items.length > MAX_NON_RETRYABLE) {
    fields.report.add(
      "out-of-range",
      list,
      `"non_retryable" lists ${list.items.length} types`,
      `at most ${MAX_NON_RETRYABLE}`,
    );
  }
  const types: string[] = [];
  for (const item of list.items) {
    if (isText(item) && item.value !== "" && item.value.length <= MAX_NAME_LENGTH) types.push(item.value);
    else
      fields.report.add(
        "wrong-type",
        item,
        `"non_retryable" holds ${describeSource(item)} where the type of an error is expected`,
        "e.g. non_retryable: [http_404, invalid_input]",
      );
  }
  return types;
}
