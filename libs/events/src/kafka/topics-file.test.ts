import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseTopics, readTopicsFile } from "./topics-file.ts";

describe("topics file", () => {
  it("is read with its settings as text", () => {
    const text = `
topics:
  - name: heddle.execution.v1.ExecutionEvent
    partitions: 12
    replicationFactor: 3
    retentionMs: 604800000
    config: { cleanup.policy: delete, min.insync.replicas: 2, preallocate: false }
  - { name: other, partitions: 1, replicationFactor: 1, retentionMs: -1 }
`;
    expect(parseTopics(text, "topics.yaml")).toEqual([
      {
        name: "heddle.execution.v1.ExecutionEvent",
        partitions: 12,
        replicationFactor: 3,
        retentionMs: 604_800_000,
        config: { "cleanup.policy": "delete", "min.insync.replicas": "2", preallocate: "false" },
      },
      { name: "other", partitions: 1, replicationFactor: 1, retentionMs: -1, config: undefined },
    ]);
  });

  it("is refused with all that is wrong, each with its place", () => {
    const text = `
topics:
  - name: bad name
    partitions: 0
    replicationfactor: 1
    replicationFactor: many
    retentionMs: 1.5
    config: { a: [1] }
  - name: twice
    partitions: 1
    replicationFactor: 1
    retentionMs: 1
  - name: twice
    partitions: 1
    replicationFactor: 1
  - text
`;
    const problem = (): unknown => parseTopics(text, "t.yaml");
    for (const line of [
      't.yaml:3:11: name is "bad name"',
      "t.yaml:4:17: partitions is 0; write a whole number from 1 to 1024",
      't.yaml:5:5: a topic has no setting "replicationfactor"; there are name, partitions, replicationFactor',
      't.yaml:6:24: replicationFactor is "many"',
      "t.yaml:7:18: retentionMs is 1.5",
      't.yaml:8:18: config "a" has no plain value',
      "t.yaml:13:5: topic twice is there twice",
      "t.yaml:13:5: retentionMs is undefined",
      "t.yaml:16:5: is not a topic",
    ]) {
      expect(problem).toThrow(line);
    }
  });

  it.each([
    ["", "has no list `topics`"],
    ["[]", "has no list `topics`"],
    ["topics: none", "has no list `topics`"],
    ["topics: []\nother: 1", 't.yaml:2:1: the file has no setting "other"; there are topics'],
    ["topics: [", "t.yaml:1:10: "],
    ["topics: [{ name: a, config: text, partitions: 1, replicationFactor: 1, retentionMs: 1 }]", "config is no map"],
  ])("is refused when it is %j", (text, message) => {
    expect(() => parseTopics(text, "t.yaml")).toThrow(message);
  });

  it("of the deployment is right", async () => {
    const path = fileURLToPath(new URL("../../../../deploy/topics.yaml", import.meta.url));
    expect(existsSync(path)).toBe(true);
    expect((await readTopicsFile(path)).length).toBeGreaterThan(0);
  });
});
