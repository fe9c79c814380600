import type { JsonObject } from "@heddle/sdk";
import { expect, it } from "vitest";
import { readAgent } from "./agent-description.ts";
import { readAgentsFile } from "./agents-file.ts";

it("fills in what a description leaves out", () => {
  expect(readAgent("a", { provider: "openai", model: "m" }, "definition")).toMatchObject({
    name: "a",
    tools: [],
    maxTurns: 10,
    maxTokens: 4_096,
    maxRepairs: 2,
    output: undefined,
  });
});

it.each<[JsonObject, string]>([
  [{ model: "m" }, "must have required property 'provider'"],
  [{ provider: "openai" }, "`model` is missing"],
  [{ provider: "openai", model: "m", temprature: 1 }, '"temprature"'],
  [{ provider: "openai", model: "m", max_turns: 51 }, "max_turns must be <= 50"],
  [{ provider: "openai", model: "m", prompt: "${input." }, "prompt:"],
  [{ provider: "openai", model: "m", output_schema: { type: "nothing" } }, "is no JSON Schema"],
  [{ provider: "openai", model: "m", api_key: "sk" }, "keys come from the worker's environment"],
  [{ provider: "openai", model: "m", headers: {} }, "keys come from the worker's environment"],
  [{ provider: "openai", model: "m", base_url: "http://evil.example" }, "operator's HEDDLE_AGENTS_FILE only"],
])("refuses %j", (source, message) => {
  const read = () => readAgent("a", source, "definition");
  expect(read).toThrow(message);
  expect(read).toThrow(expect.objectContaining({ type: "agent_invalid", retryable: false }));
});

it("lets the operator's file say where an agent's server is", () => {
  const source = { provider: "openai", model: "m", base_url: "http://localhost:11434/v1" };
  expect(readAgent("a", source, "operator").baseUrl).toBe("http://localhost:11434/v1");
});

it("reads the operator's file: agents as a list or by id, providers with keys from the environment", () => {
  const agent = { provider: "local", model: "m" };
  const providers = { local: { type: "openai", base_url: "http://localhost:11434/v1", api_key_env: "LOCAL_KEY" } };
  const read = readAgentsFile({ agents: [{ id: "a", ...agent }], providers }, (name) => `value of ${name}`);
  expect([...read.agents.keys()]).toEqual(["a"]);
  expect(read.providers).toEqual({
    local: { type: "openai", baseUrl: "http://localhost:11434/v1", apiKey: "value of LOCAL_KEY" },
  });
  expect([...readAgentsFile({ agents: { b: agent } }, () => undefined).agents.keys()]).toEqual(["b"]);
});

it.each<[JsonObject, string]>([
  [{ agent: [] }, '"agent" is no part of an agents file'],
  [{ agents: [{ provider: "openai" }] }, "agent 1 of the agents file has no `id`"],
  [{ agents: { a: { provider: "openai" } } }, "`model` is missing"],
  [{ providers: { p: { type: "other" } } }, "`type` must be openai"],
  [{ providers: { p: { type: "openai", base_url: "localhost" } } }, "`base_url` must begin"],
  [{ providers: { p: { type: "openai", base_url: "http://x", api_key: "sk" } } }, "never written down"],
  [{ providers: { p: { type: "openai", base_url: "http://x", api_key_env: "NO" } } }, "neither NO nor NO_FILE is set"],
])("refuses the file %j", (content, message) => {
  expect(() => readAgentsFile(content, () => undefined)).toThrow(message);
});
