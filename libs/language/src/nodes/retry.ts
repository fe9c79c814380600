import type { RetryPolicy, RetryRule } from "@heddle/engine";
import { createFields } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { MAX_ATTEMPTS, MAX_BACKOFF, MAX_NAME_LENGTH, MAX_NON_RETRYABLE, MAX_RETRY_RULES } from "../limits.ts";
import { describeSource } from "../source/source-node.ts";
import type { SourceNode } from "../source/source-node.ts";
import { isText, readCondition } from "./reader.ts";
import type { NodeReader } from "./reader.ts";

const TIMES = ["max_attempts", "initial_interval", "backoff", "max_interval", "jitter", "max_elapsed"] as const;
const CLASSES = ["technical", "business"] as const;
const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 3,
  initialIntervalMs: 1_000,
  backoff: 2,
  maxIntervalMs: 60_000,
  jitter: 0.2,
  nonRetryable: [],
};

type RetryTimes = Omit<RetryPolicy, "nonRetryable" | "rules">;

/** Without a reader, where no expressions are evaluated, there are no rules. */
export function readRetry(node: Fields, reader?: NodeReader): RetryPolicy {
  const map = node.object("retry");
  if (map === undefined) return DEFAULT_RETRY;
  const known = [...TIMES, "non_retryable", ...(reader === undefined ? [] : ["rules"])];
  const fields = createFields(map, "a retry policy", known, node.report);
  const times = readTimes(fields, DEFAULT_RETRY);
  const rules = reader === undefined ? [] : readRules({ ...reader, fields }, times);
  return { ...times, nonRetryable: readTypes(fields, "non_retryable") ?? [], ...(rules.length > 0 && { rules }) };
}

/** `class` of an error. */
export function readClass(fields: Fields): "technical" | "business" | undefined {
  return fields.oneOf("class", CLASSES);
}

/** What is not given is as in `defaults`. */
function readTimes(fields: Fields, defaults: RetryTimes): RetryTimes {
  const { map, report } = fields;
  const maxAttempts = fields.integer("max_attempts", { min: 1, max: MAX_ATTEMPTS }) ?? defaults.maxAttempts;
  const initialIntervalMs = fields.durationMs("initial_interval") ?? defaults.initialIntervalMs;
  const maxIntervalMs = fields.durationMs("max_interval");
  const maxElapsedMs = fields.durationMs("max_elapsed") ?? defaults.maxElapsedMs;
  if (maxIntervalMs !== undefined && maxIntervalMs < initialIntervalMs) {
    const at = fields.find("max_interval") ?? map;
    const message = `"max_interval" is ${maxIntervalMs} ms, less than "initial_interval", ${initialIntervalMs} ms`;
    report.add("out-of-range", at, message, "make it at least as long");
  }
  return {
    maxAttempts,
    initialIntervalMs,
    backoff: fields.number("backoff", { min: 1, max: MAX_BACKOFF }) ?? defaults.backoff,
    maxIntervalMs: maxIntervalMs ?? Math.max(defaults.maxIntervalMs, initialIntervalMs),
    jitter: fields.number("jitter", { min: 0, max: 1 }) ?? defaults.jitter,
    ...(maxElapsedMs !== undefined && { maxElapsedMs }),
  };
}

function readRules(reader: NodeReader, times: RetryTimes): RetryRule[] {
  const { fields } = reader;
  const list = fields.list("rules");
  if (list === undefined) return [];
  if (list.items.length > MAX_RETRY_RULES) {
    const message = `"rules" of a retry policy has ${list.items.length} rules`;
    fields.report.add("out-of-range", list, message, `at most ${MAX_RETRY_RULES}`);
  }
  return list.items.flatMap((item) => readRule(reader, item, times) ?? []);
}

function readRule(node: NodeReader, item: SourceNode, times: RetryTimes): RetryRule | undefined {
  const { report } = node.fields;
  if (item.kind !== "map") {
    const message = `a rule in "rules" of a retry policy is ${describeSource(item)} where an object is expected`;
    report.add("wrong-type", item, message, "e.g. rules: [{ on: [throttled], max_attempts: 10 }]");
    return undefined;
  }
  const fields = createFields(item, "a retry rule", ["on", "class", "when", ...TIMES], report);
  const types = readTypes(fields, "on");
  const wanted = readClass(fields);
  const whenAt = fields.find("when");
  const reader: NodeReader = { ...node, fields, marks: { names: ["error"] } };
  const when = whenAt === undefined ? undefined : readCondition(reader, whenAt, '"when" of a retry rule');
  if (!["on", "class", "when"].some((name) => fields.find(name) !== undefined)) {
    const message = "a retry rule does not say which errors it is about";
    report.add("unlimited-rule", item, message, 'say on: [types], class: business or when: "${error...}"');
  }
  return {
    ...(types !== undefined && { types }),
    ...(wanted !== undefined && { class: wanted }),
    ...(when !== undefined && { when: when.source }),
    ...readTimes(fields, times),
  };
}

/** Types of errors: a list, or for `on` a single one. */
function readTypes(fields: Fields, name: "non_retryable" | "on"): string[] | undefined {
  const at = fields.find(name);
  if (at === undefined) return undefined;
  const list = at.kind === "scalar" && name === "on" ? [at] : fields.list(name)?.items;
  if (list === undefined) return undefined;
  if (list.length > MAX_NON_RETRYABLE) {
    fields.report.add("out-of-range", at, `"${name}" lists ${list.length} types`, `at most ${MAX_NON_RETRYABLE}`);
  }
  const types: string[] = [];
  for (const item of list) {
    if (isText(item) && item.value !== "" && item.value.length <= MAX_NAME_LENGTH) types.push(item.value);
    else {
      const message = `"${name}" holds ${describeSource(item)} where the type of an error is expected`;
      fields.report.add("wrong-type", item, message, `e.g. ${name}: [http_404, invalid_input]`);
    }
  }
  return types;
}
