import { readFile } from "node:fs/promises";
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from "yaml";
import { maxPartitions } from "../limits.ts";
import type { TopicConfig } from "./topic-config.ts";

const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/;
const TOPIC_KEYS = ["name", "partitions", "replicationFactor", "retentionMs", "config"];
const MAX_REPLICATION_FACTOR = 32_767;

/** Reads the topics of a deployment from a file. See `parseTopics`. */
export async function readTopicsFile(path: string): Promise<TopicConfig[]> {
  return parseTopics(await readFile(path, "utf8"), path);
}

/**
 * Reads `topics: [{ name, partitions, replicationFactor, retentionMs, config? }]` in YAML. Throws one Error that names
 * everything that is wrong, each with `file:line:column` and what to write instead.
 */
export function parseTopics(text: string, file: string): TopicConfig[] {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  const findings: string[] = [];
  const report = (offset: number, what: string): void => {
    const { line, col } = lineCounter.linePos(offset);
    findings.push(`${file}:${line}:${col}: ${what}`);
  };
  for (const error of document.errors) report(error.pos[0], error.message.split("\n")[0] ?? error.code);
  const topics = findings.length > 0 ? [] : readTopics(document.contents, report);
  if (findings.length > 0) throw new Error(findings.join("\n"));
  return topics;
}

type Report = (offset: number, what: string) => void;

function readTopics(root: Node | null, report: Report): TopicConfig[] {
  const list = isMap(root) ? root.get("topics", true) : undefined;
  if (!isMap(root) || !isSeq(list)) {
    report(root?.range?.[0] ?? 0, "has no list `topics`; write `topics:` and below it one `- name: …` per topic");
    return [];
  }
  for (const { key } of root.items) checkKey(key, ["topics"], "the file", report);
  const names = new Set<string>();
  return list.items.map((item): TopicConfig => {
    if (!isMap(item)) {
      report((item as Node).range?.[0] ?? 0, "is not a topic; write `- name: …` with its settings below");
      return { name: "", partitions: 0, replicationFactor: 0, retentionMs: 0 };
    }
    for (const { key } of item.items) checkKey(key, TOPIC_KEYS, "a topic", report);
    const name = readName(item, report);
    if (names.has(name)) report(startOf(item), `topic ${name} is there twice; keep one of them`);
    names.add(name);
    return {
      name,
      partitions: readNumber(item, "partitions", 1, maxPartitions, report),
      replicationFactor: readNumber(item, "replicationFactor", 1, MAX_REPLICATION_FACTOR, report),
      retentionMs: readNumber(item, "retentionMs", -1, Number.MAX_SAFE_INTEGER, report),
      config: readConfig(item, report),
    };
  });
}

function readName(topic: YAMLMap, report: Report): string {
  const node = topic.get("name", true);
  const name = isScalar(node) ? node.value : undefined;
  if (typeof name === "string" && TOPIC_NAME.test(name) && name !== "." && name !== "..") return name;
  report(
    startOf(node ?? topic),
    `name is ${JSON.stringify(name)}; write the full name of the protobuf message, up to 249 letters, digits, ., _ and -`,
  );
  return "";
}

function readNumber(topic: YAMLMap, key: string, min: number, max: number, report: Report): number {
  const node = topic.get(key, true);
  const value = isScalar(node) ? node.value : undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  report(startOf(node ?? topic), `${key} is ${JSON.stringify(value)}; write a whole number from ${min} to ${max}`);
  return min;
}

function readConfig(topic: YAMLMap, report: Report): Record<string, string> | undefined {
  const node = topic.get("config", true) as Node | undefined;
  if (node === undefined) return undefined;
  if (!isMap(node)) {
    report(
      startOf(node),
      "config is no map; write Kafka's settings of the topic below it, as `cleanup.policy: delete`",
    );
    return undefined;
  }
  const config: Record<string, string> = {};
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : "";
    const given = isScalar(value) ? value.value : undefined;
    if (name === "" || (typeof given !== "string" && typeof given !== "number" && typeof given !== "boolean")) {
      report(startOf(value ?? key), `config ${JSON.stringify(name)} has no plain value; write text, a number or true`);
      continue;
    }
    config[name] = String(given);
  }
  return config;
}

function checkKey(key: unknown, known: readonly string[], owner: string, report: Report): void {
  const name = isScalar(key) ? String(key.value) : "";
  if (!known.includes(name))
    report(startOf(key), `${owner} has no setting ${JSON.stringify(name)}; there are ${known.join(", ")}`);
}

function startOf(node: unknown): number {
  return (node as Node | undefined)?.range?.[0] ?? 0;
}
