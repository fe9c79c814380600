import type { Json } from "@heddle/sdk";
import { expect, it } from "vitest";
import type { ModelReply, ModelRequest } from "./model-provider.ts";
import { createScriptedProvider, type Scripts } from "./scripted.ts";

function ask(
  scripts: Scripts,
  about: Partial<ModelRequest["about"]>,
  messages: ModelRequest["messages"] = [],
): Promise<ModelReply> {
  const input = about.input ?? {};
  return createScriptedProvider(scripts).complete(
    {
      model: "scripted",
      instructions: undefined,
      messages,
      tools: [],
      outputSchema: undefined,
      temperature: undefined,
      maxTokens: 100,
      about: {
        agentName: "triage",
        prompt: JSON.stringify(input),
        turn: 1,
        attempt: 1,
        script: undefined,
        ...about,
        input,
      },
    },
    new AbortController().signal,
  );
}

const RULES: Json = [
  { contains: ["REFUND", "money back"], reply: { category: "billing", of: "${input.id}" } },
  { when: "input.priority == 'high' && attempt == 1", error: { type: "model_rate_limited", retry_after: "2s" } },
  { when: "input.missing.deep == 1", reply: "never" },
  { when: "turn == 1", contains: "order", tool_calls: [{ name: "lookup", arguments: { id: "${id}" } }] },
  { when: "has(tools.lookup)", reply: "It is ${tools.lookup.status}.", usage: { input_tokens: 7, output_tokens: 3 } },
  { reply: "Tell me more." },
];

it("answers by the first rule that fits: text of the prompt, input, turn, attempt, results of tools", async () => {
  const scripts = { triage: RULES };
  expect(JSON.parse((await ask(scripts, { input: { id: 5, text: "a Refund, please" } })).text)).toEqual({
    category: "billing",
    of: 5,
  });
  await expect(ask(scripts, { input: { priority: "high" } })).rejects.toMatchObject({
    type: "model_rate_limited",
    retryable: true,
    retryAfterMs: 2_000,
  });
  expect((await ask(scripts, { input: { priority: "high" }, attempt: 2 })).text).toBe("Tell me more.");
  const call = await ask(scripts, { input: { id: 9, text: "my order" } });
  expect(call).toMatchObject({ stop: "tool_calls", toolCalls: [{ name: "lookup", arguments: { id: 9 } }] });
  const results = [{ callId: "c", name: "lookup", value: { status: "shipped" }, text: "", isError: false }];
  const answer = await ask(scripts, { input: { id: 9, text: "my order" }, turn: 2 }, [{ role: "tool", results }]);
  expect(answer).toMatchObject({ text: "It is shipped.", usage: { inputTokens: 7, outputTokens: 3 } });
});

it("plays the description's own script first, then the file's by name, then the file's `*`", async () => {
  const scripts = { triage: [{ reply: "named" }], "*": [{ reply: "any" }] };
  expect((await ask(scripts, { script: [{ reply: "own" }] })).text).toBe("own");
  expect((await ask(scripts, {})).text).toBe("named");
  expect((await ask(scripts, { agentName: "other" })).text).toBe("any");
  await expect(ask({}, { agentName: "constructor" })).rejects.toThrow('the scripted agent "constructor" has no script');
});

it("gives the same answer and the same figures for the same question", async () => {
  const scripts = { triage: RULES };
  const [first, second] = [await ask(scripts, { input: { id: 1 } }), await ask(scripts, { input: { id: 1 } })];
  expect(first).toEqual(second);
  expect(first.usage.outputTokens).toBeGreaterThan(0);
});

it("waits as long as the rule says, unless the task is aborted", async () => {
  const abort = new AbortController();
  abort.abort(new Error("stop"));
  const provider = createScriptedProvider({ a: [{ reply: "x", delay: "10ms" }] });
  const request = {
    messages: [],
    about: { agentName: "a", input: {}, prompt: "", turn: 1, attempt: 1, script: undefined },
  };
  await expect(provider.complete(request as never, new AbortController().signal)).resolves.toMatchObject({ text: "x" });
  await expect(provider.complete(request as never, abort.signal)).rejects.toThrow("abort");
});

it.each<[Json, string]>([
  [[{ when: "true" }], "each rule has one of reply, tool_calls and error"],
  [[{ reply: "a", error: { type: "x" } }], "each rule has one of"],
  [[{ reply: "a", unless: "x" }], "must NOT have additional properties"],
  [[], "must NOT have fewer than 1 items"],
  [{}, "must be array"],
  [[{ when: "1 +", reply: "x" }], "rule 1:"],
  [[{ reply: "${" }], "rule 1:"],
  [[{ reply: "x", delay: "soon" }], '"soon" is no duration'],
])("refuses the script %j", async (script, message) => {
  await expect(ask({}, { script })).rejects.toThrow(message);
  await expect(ask({}, { script })).rejects.toMatchObject({ type: "agent_invalid", retryable: false });
});

it("says that no rule fits, and what a reply misses", async () => {
  await expect(ask({}, { script: [{ when: "turn == 2", reply: "x" }] })).rejects.toThrow("no rule in the script");
  await expect(ask({}, { script: [{ reply: "${input.missing}" }] })).rejects.toMatchObject({
    type: "expression",
    retryable: false,
  });
});
