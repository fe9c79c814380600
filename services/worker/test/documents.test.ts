import { readFileSync } from "node:fs";
import type { Json, JsonObject } from "@heddle/sdk";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { readAgent } from "../src/agents/agent-description.ts";
import { readAgentsFile } from "../src/agents/agents-file.ts";
import { textOf } from "../src/providers/fields.ts";
import { compileScript } from "../src/providers/script.ts";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

function yamlBlocks(path: string): Json[] {
  return [...read(path).matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = ""]) => parse(text) as Json);
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

it("the agents that docs/agents.md shows are ones that run", () => {
  const names: string[] = [];
  for (const block of yamlBlocks("../../../docs/agents.md")) {
    const workflow = isObject(block) ? block["workflow"] : undefined;
    const declared = isObject(workflow) ? workflow["agents"] : block;
    if (Array.isArray(declared)) {
      for (const agent of declared.filter(isObject)) {
        const { name, script } = readAgent(textOf(agent["id"]), agent, "definition");
        if (script !== undefined) expect(compileScript(name, script).length).toBe(5);
        names.push(name);
      }
    } else {
      const { agents, providers } = readAgentsFile(block, () => "key");
      expect(Object.keys(providers)).toEqual(["local"]);
      names.push(...agents.keys());
    }
  }
  expect(names).toEqual(["classifier", "summarizer", "triage"]);
});
