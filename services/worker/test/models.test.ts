import { TaskError, type Handlers, type Json, type JsonObject } from "@heddle/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAgentHandlers } from "../src/agents/agent-handlers.ts";
import { NO_AGENTS } from "../src/agents/agents-file.ts";
import { createToolbox } from "../src/agents/toolbox.ts";
import { createProviders } from "../src/providers/providers.ts";
import { createFakeContext, type FakeContext } from "./fake-context.ts";
import { startFakeModelServer, type FakeModelServer, type Protocol } from "./fake-model-server.ts";

const KEY = "sk-very-secret-0123456789";
let server: FakeModelServer;
beforeEach(async () => {
  server = await startFakeModelServer();
});
afterEach(() => server.close());

const OUTPUT_SCHEMA = {
  type: "object",
  required: ["category", "urgent"],
  additionalProperties: false,
  properties: { category: { enum: ["billing", "other"] }, urgent: { type: "boolean" } },
};

describe.each<Protocol>(["openai", "anthropic"])("an agent of the provider %s", (provider) => {
  interface RunOptions {
    input?: Json;
    tools?: Handlers;
    context?: FakeContext;
    timeoutMs?: number;
    apiKey?: string;
    baseUrl?: string;
  }

  async function run(agent: JsonObject, options: RunOptions = {}): Promise<JsonObject> {
    const { input = { text: "Where is my money?" }, tools = {}, timeoutMs = 5_000, apiKey = KEY } = options;
    const settings = { baseUrl: options.baseUrl ?? server.urls[provider], apiKey };
    const providers = createProviders({ openai: settings, anthropic: settings, others: {}, scripts: {}, timeoutMs });
    const handlers = createAgentHandlers({ file: NO_AGENTS, providers, toolbox: createToolbox(tools) });
    const context = options.context ?? createFakeContext();
    const described = createFakeContext({
      ...context,
      name: "support",
      agent: { provider, model: "m-1", ...agent },
      heartbeat: context.heartbeat,
    });
    const handle = handlers["*"] as (input: Json, context: FakeContext) => Promise<JsonObject>;
    return handle(input, described);
  }

  it("asks with instructions and prompt, and gives text and usage", async () => {
    server.answer({ text: "It is on its way.", inputTokens: 1_000, outputTokens: 200 });
    const output = await run(
      {
        instructions: "You help customers of ${shop}.",
        prompt: "Customer asks: ${input.text}",
        temperature: 0.5,
        max_tokens: 300,
        prices: { input: 3, output: 15 },
      },
      { input: { text: "Where?", shop: "Acme" } },
    );
    expect(output).toEqual({
      text: "It is on its way.",
      _usage: {
        provider,
        model: "m-1",
        calls: 1,
        tool_calls: 0,
        input_tokens: 1_000,
        output_tokens: 200,
        total_tokens: 1_200,
        cost_usd: 0.006,
      },
    });
    const [request] = server.requests;
    expect(request).toMatchObject({
      model: "m-1",
      instructions: "You help customers of Acme.",
      messages: [{ role: "user", text: "Customer asks: Where?" }],
    });
    expect(request?.body).toMatchObject({ temperature: 0.5, max_tokens: 300 });
    expect(request?.headers[provider === "openai" ? "authorization" : "x-api-key"]).toContain(KEY);
  });

  it("gives the input itself to the model when there is no prompt", async () => {
    await run({}, { input: "plain" });
    await run({}, { input: { a: 1 } });
    expect(server.requests.map(({ messages }) => messages[0]?.text)).toEqual(["plain", '{\n  "a": 1\n}']);
  });

  it.each([
    ["as it is", '{"category":"billing","urgent":true}'],
    ["in a fence", 'Sure:\n```json\n{"category":"billing","urgent":true}\n```\nAnything else?'],
    ["in a sentence", 'The answer is {"category":"billing","urgent":true}.'],
  ])("gives the object that the schema describes: %s", async (_name, text) => {
    server.answer({ text });
    const { _usage, ...output } = await run({ output_schema: OUTPUT_SCHEMA });
    expect(output).toEqual({ category: "billing", urgent: true });
    expect(_usage).toMatchObject({ calls: 1 });
    expect(server.requests[0]?.instructions).toContain('"enum":["billing","other"]');
  });

  it("gives other values as `value`", async () => {
    server.answer({ text: "[1, 2]" });
    expect(await run({ output_schema: { type: "array" } })).toMatchObject({ value: [1, 2] });
  });

  it("asks again with what is wrong until the answer fits", async () => {
    server.answer(
      { text: "billing, I think" },
      { text: '{"category":"money"}' },
      { text: '{"category":"other","urgent":false}' },
    );
    const output = await run({ output_schema: OUTPUT_SCHEMA });
    expect(output).toMatchObject({ category: "other", urgent: false, _usage: { calls: 3, input_tokens: 30 } });
    const texts = server.requests[2]?.messages.map(({ role, text }) => `${role}: ${text}`);
    expect(texts?.[1]).toBe("assistant: billing, I think");
    expect(texts?.[2]).toContain("the answer is not JSON");
    expect(texts?.[4]).toContain("must have required property 'urgent'");
    expect(texts?.[4]).toContain('["billing","other"]');
  });

  it("asks again after an empty answer", async () => {
    server.answer({ text: "" }, { text: '{"category":"other","urgent":false}' });
    expect(await run({ output_schema: OUTPUT_SCHEMA })).toMatchObject({ category: "other", _usage: { calls: 2 } });
  });

  it("tells the model that its arguments are no JSON", async () => {
    const tools: Handlers = { count: () => 1 };
    server.answer({ toolCalls: [{ name: "count", arguments: "{broken" }] }, { text: "done" });
    await run({ tools: ["count"] }, { tools });
    // Anthropic's protocol carries arguments as JSON, so that only a text comes through there.
    const told = provider === "openai" ? "error: the arguments are not JSON" : "1";
    expect(server.requests[1]?.messages.at(-1)).toEqual({ role: "tool", text: told });
  });

  it("gives up on an answer that never fits, with the usage in the failure", async () => {
    server.answer({ text: "no" });
    await expect(run({ output_schema: OUTPUT_SCHEMA, max_repairs: 1 })).rejects.toMatchObject({
      type: "agent_output_invalid",
      retryable: true,
      details: { _usage: { calls: 2, input_tokens: 20 } },
    });
    expect(server.requests.length).toBe(2);
  });

  it("runs the tools that the model calls, several at once, and feeds the results back", async () => {
    const calls: unknown[] = [];
    const tools: Handlers = {
      "crm.lookup": {
        description: "Looks up a customer",
        inputSchema: { type: "object", required: ["id"], properties: { id: { type: "integer" } } },
        async handler(input: { id: number }, { idempotencyKey, name }) {
          calls.push([input, idempotencyKey, name]);
          return { name: `Customer ${input.id}` };
        },
      },
      fail: () => {
        throw new TaskError("card_declined", "the bank refused");
      },
    };
    server.answer(
      {
        text: "Let me look.",
        toolCalls: [
          { name: "crm_lookup", arguments: { id: 1 } },
          { name: "crm_lookup", arguments: { id: "two" } },
          { name: "fail", arguments: {} },
          { name: "unknown", arguments: {} },
        ],
      },
      { toolCalls: [{ name: "crm_lookup", arguments: { id: 3 } }] },
      { text: "Found them." },
    );
    const context = createFakeContext();
    const output = await run({ tools: ["crm.lookup", "fail"] }, { tools, context });
    expect(output).toMatchObject({ text: "Found them.", _usage: { calls: 3, tool_calls: 5, total_tokens: 45 } });
    expect(server.requests[0]?.tools).toEqual(["crm_lookup", "fail"]);
    expect(calls).toEqual([
      [{ id: 1 }, "execution/node/1/1.0", "crm_lookup"],
      [{ id: 3 }, "execution/node/1/2.0", "crm_lookup"],
    ]);
    expect(server.requests[2]?.messages).toEqual([
      { role: "user", text: expect.any(String) as string },
      { role: "assistant", text: "Let me look." },
      { role: "call", text: "crm_lookup" },
      { role: "call", text: "crm_lookup" },
      { role: "call", text: "fail" },
      { role: "call", text: "unknown" },
      { role: "tool", text: '{"name":"Customer 1"}' },
      { role: "tool", text: "error: the arguments do not fit: /id must be integer" },
      { role: "tool", text: "error: card_declined: the bank refused" },
      { role: "tool", text: 'error: there is no tool "unknown"; there are crm_lookup, fail' },
      { role: "call", text: "crm_lookup" },
      { role: "tool", text: '{"name":"Customer 3"}' },
    ]);
    const progress = context.heartbeats.filter((each) => each !== null) as JsonObject[];
    expect(progress.map(({ turn, total_tokens: tokens }) => [turn, tokens])).toEqual([
      [1, 15],
      [2, 30],
      [3, 45],
    ]);
  });

  it("runs at most eight tools at once, and tells the model so", async () => {
    let runs = 0;
    const tools: Handlers = { count: () => (runs += 1) };
    server.answer(
      { toolCalls: Array.from({ length: 10 }, () => ({ name: "count", arguments: {} })) },
      { text: "done" },
    );
    await run({ tools: ["count"] }, { tools });
    expect(runs).toBe(8);
    expect(server.requests[1]?.messages.at(-1)?.text).toContain("only 8 tools are called at once");
  });

  it("stops after its turns", async () => {
    server.answer({ toolCalls: [{ name: "again", arguments: {} }] });
    await expect(run({ tools: ["again"], max_turns: 3 }, { tools: { again: () => "more" } })).rejects.toMatchObject({
      type: "agent_turns_exhausted",
      retryable: false,
      details: { _usage: { calls: 3, tool_calls: 3 } },
    });
    expect(server.requests.length).toBe(3);
  });

  it.each([
    [429, { "retry-after": "3" }, "model_rate_limited", true, 3_000],
    [500, {}, "model_unavailable", true, 0],
    [529, { "retry-after": "1" }, "model_unavailable", true, 1_000],
    [401, {}, "model_auth", false, 0],
    [403, {}, "model_auth", false, 0],
    [400, {}, "model_request", false, 0],
    [404, {}, "model_request", false, 0],
    [307, { location: "http://127.0.0.1:1/" }, "model_unreachable", true, 0],
  ])(
    "turns status %i into a failure that says whether to try again",
    async (status, headers, type, retryable, retryAfterMs) => {
      server.answer({ status, headers, message: `no: ${KEY} is not good` });
      const failed = run({});
      await expect(failed).rejects.toMatchObject({ type, retryable, retryAfterMs });
      const error = (await failed.catch((thrown: unknown) => thrown)) as Error;
      expect(error.message).not.toContain(KEY);
    },
  );

  it.each([
    ["no JSON", { raw: "<html>" }, "model_answer", true],
    ["a list", { raw: "[]" }, "model_answer", true],
    ["an answer that was cut", { text: "It is", stop: "length" as const }, "agent_output_cut", false],
    ["a refusal", { text: "I must not", stop: "refusal" as const }, "agent_refused", false],
  ])("explains %s", async (_name, answer, type, retryable) => {
    server.answer(answer);
    await expect(run({})).rejects.toMatchObject({ type, retryable });
  });

  it("takes an empty answer as empty text", async () => {
    server.answer({ raw: "{}" });
    expect(await run({})).toMatchObject({ text: "", _usage: { total_tokens: 0 } });
  });

  it("gives up on a server that is silent or gone, and may try again", async () => {
    server.answer({ silent: true });
    await expect(run({}, { timeoutMs: 30 })).rejects.toMatchObject({ type: "model_timeout", retryable: true });
    await expect(run({}, { baseUrl: "http://127.0.0.1:1" })).rejects.toMatchObject({
      type: "model_unreachable",
      retryable: true,
    });
  });

  it("stops when the task is aborted", async () => {
    server.answer({ silent: true });
    const abort = new AbortController();
    const running = run({}, { context: createFakeContext({ signal: abort.signal }) });
    await expect.poll(() => server.requests.length).toBe(1);
    abort.abort(new Error("the task was canceled"));
    await expect(running).rejects.toThrow("the task was canceled");
  });
});
