import { readFileSync } from "node:fs";
import { compileExpression } from "@heddle/expression";
import type { Json } from "@heddle/expression";
import { describe, expect, test } from "vitest";
import { RULES, compileDefinition } from "./index.ts";
import type { CompileDefinitionOptions, RuleName } from "./index.ts";

const read = (name: string): string => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), "utf8");

const options: CompileDefinitionOptions = {
  knownTools: new Map([
    ["t", {}],
    ["http_request", { inputSchema: { type: "object", properties: { url: { type: "string" } } } }],
  ]),
  knownAgents: new Set(["classifier"]),
  workflowExists: (id) => id !== "missing",
};

/** A whole definition, or nodes of one. */
function toDefinition(example: string): string {
  if (example.startsWith("workflow:")) return example;
  return `workflow:\n  id: w\n  type: dag\n  nodes:\n${example.replaceAll(/^(?=.)/gm, "    ")}`;
}

const listExamples = (text: string): string[] =>
  Array.from(text.matchAll(/^```yaml\n([^]*?)^```$/gm), (match) => match[1]!);

describe("language.md", () => {
  const examples = listExamples(read("language.md"));

  test.each(examples.map((example) => [example.split("\n")[0], example]))("%s", (_first, example) => {
    const { findings, plan } = compileDefinition(toDefinition(example), options);
    expect(findings).toEqual([]);
    expect(plan).toBeDefined();
  });

  test("there are examples of all types of nodes", () => {
    const types = new Set(
      examples.flatMap((example) => Array.from(example.matchAll(/type: (\w+)/g), (match) => match[1])),
    );
    expect([...types]).toEqual(
      expect.arrayContaining([
        "tool",
        "agent",
        "action",
        "switch",
        "parallel",
        "aggregation",
        "sub_workflow",
        "state_machine",
        "human",
        "trigger",
      ]),
    );
  });
});

test("language.md names all types of nodes that there are", () => {
  const row = /^\| `type` \| (.*) \|$/m.exec(read("language.md"))?.[1] ?? "";
  const named = Array.from(row.matchAll(/`(\w+)`/g), (match) => match[1]);
  const [finding] = compileDefinition(toDefinition("- { id: x }"), options).findings;
  const known = /one of ([\w, ]+)/.exec(JSON.stringify(finding))?.[1]?.split(", ") ?? [];
  expect(known.length).toBeGreaterThan(5);
  expect(new Set(named)).toEqual(new Set(known));
});

describe("statecharts.md", () => {
  const examples = listExamples(read("statecharts.md"));

  test.each(examples.map((example) => [example.split("\n")[1], example]))("%s", (_first, example) => {
    const { findings, plan } = compileDefinition(example, options);
    expect(findings).toEqual([]);
    expect(plan?.type).toBe("state_machine");
  });
});

describe("schedules.md", () => {
  test.each(listExamples(read("schedules.md")))("%#", (example) => {
    const { findings, plan } = compileDefinition(toDefinition(example), options);
    expect(findings).toEqual([]);
    expect(plan?.schedules?.length).toBeGreaterThan(0);
    expect(plan?.triggers?.length).toBeGreaterThan(0);
  });
});

describe("expressions.md", () => {
  const text = read("expressions.md");
  const data = JSON.parse(/^```json\n([^]*?)^```$/m.exec(text)![1]!) as Record<string, Json>;
  const rows = Array.from(
    text.matchAll(/^\| `(.+)` \| `(.+)` \|$/gm),
    ([, source, result]) => [source!, result!] as const,
  );

  test.each(rows)("%s", (source, result) => {
    const expression = compileExpression(source, { nodeIds: new Set(["fetch-order"]) });
    expect(expression.evaluate({ get: (name) => data[name] })).toEqual(JSON.parse(result));
  });

  test("the tables were found", () => {
    expect(rows.length).toBeGreaterThan(50);
  });
});

describe("rules.md", () => {
  const sections = read("rules.md").split(/^### /m).slice(1);
  const heads = sections.map((section) => section.split("\n")[0]);

  test("has every rule, in the order of its ids, with its own words", () => {
    expect(heads).toEqual(Object.entries(RULES).map(([name, { id, severity }]) => `${id} ${name} (${severity})`));
    for (const [index, { summary }] of Object.values(RULES).entries()) expect(sections[index]).toContain(summary);
  });

  test.each(
    sections.filter((section) => section.includes("```yaml")).map((section) => [section.split("\n")[0]!, section]),
  )("%s", (head, section) => {
    const [, rule] = head.split(" ");
    const { findings } = compileDefinition(toDefinition(listExamples(section)[0]!), options);
    expect(findings.map((finding) => finding.rule)).toContain(rule as RuleName);
    expect(new Set(findings.map((finding) => finding.rule)).size).toBe(1);
  });
});
