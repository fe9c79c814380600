import type { Json, JsonObject } from "@heddle/sdk";
import { countOf, listOf, objectOf, textOf } from "./fields.ts";
import type { ModelMessage, ModelProvider, ModelReply, ModelRequest, ToolCall } from "./model-provider.ts";
import { createModelServer } from "./model-server.ts";

export interface HttpProviderOptions {
  /** Name of the provider in messages. */
  name: string;
  /** Absent: the company's own. */
  baseUrl: string | undefined;
  /** Absent: no key is sent, as local servers want it. */
  apiKey: string | undefined;
  timeoutMs: number;
}

const BASE_URL = "https://api.openai.com/v1";

/** OpenAI's Chat Completions, and every server that speaks them. */
export function createOpenAiProvider({
  name,
  baseUrl = BASE_URL,
  apiKey,
  timeoutMs,
}: HttpProviderOptions): ModelProvider {
  const headers: Record<string, string> = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  const server = createModelServer({ name, baseUrl, headers, secret: apiKey, timeoutMs });
  // Its newer models refuse `max_tokens`; most of the servers that imitate it know nothing else.
  const maxTokensField = baseUrl === BASE_URL ? "max_completion_tokens" : "max_tokens";
  return {
    async complete(request, signal) {
      return toReply(await server.post("/chat/completions", toBody(request, maxTokensField), signal));
    },
  };
}

function toBody(request: ModelRequest, maxTokensField: string): JsonObject {
  const { model, instructions, messages, tools, outputSchema, temperature, maxTokens } = request;
  const system: JsonObject[] = instructions === undefined ? [] : [{ role: "system", content: instructions }];
  return {
    model,
    messages: [...system, ...messages.flatMap(toMessages)],
    [maxTokensField]: maxTokens,
    ...(temperature !== undefined && { temperature }),
    ...(tools.length > 0 && {
      tools: tools.map((tool) => ({ type: "function", function: { ...tool } })),
    }),
    ...(outputSchema && {
      // Not strict: strict mode knows only a part of JSON Schema, and the answer is checked here all the same.
      response_format: { type: "json_schema", json_schema: { name: "output", schema: outputSchema, strict: false } },
    }),
  };
}

function toMessages(message: ModelMessage): JsonObject[] {
  switch (message.role) {
    case "user":
      return [{ role: "user", content: message.text }];
    case "assistant":
      return [
        {
          role: "assistant",
          content: message.text,
          ...(message.toolCalls.length > 0 && {
            tool_calls: message.toolCalls.map(({ id, name, arguments: given }) => ({
              id,
              type: "function",
              function: { name, arguments: JSON.stringify(given ?? {}) },
            })),
          }),
        },
      ];
    case "tool":
      return message.results.map(({ callId, text }) => ({ role: "tool", tool_call_id: callId, content: text }));
  }
}

function toReply(answer: JsonObject): ModelReply {
  const choice = objectOf(listOf(answer["choices"])[0]);
  const message = objectOf(choice["message"]);
  const usage = objectOf(answer["usage"]);
  const toolCalls = listOf(message["tool_calls"]).map(toToolCall);
  const refusal = textOf(message["refusal"]);
  return {
    text: refusal || textOf(message["content"]),
    toolCalls,
    stop: stopOf(textOf(choice["finish_reason"]), toolCalls.length, refusal),
    usage: { inputTokens: countOf(usage["prompt_tokens"]), outputTokens: countOf(usage["completion_tokens"]) },
  };
}

function stopOf(reason: string, toolCalls: number, refusal: string): ModelReply["stop"] {
  if (refusal !== "" || reason === "content_filter") return "refusal";
  if (reason === "length") return "length";
  return toolCalls > 0 ? "tool_calls" : "end";
}

function toToolCall(value: Json, index: number): ToolCall {
  const call = objectOf(value);
  const { name, arguments: given } = objectOf(call["function"]);
  return { id: textOf(call["id"]) || `call_${index}`, name: textOf(name), arguments: parseArguments(given) };
}

/** JSON as text; some of the servers that imitate OpenAI give the object itself. */
function parseArguments(given: Json | undefined): Json | undefined {
  if (typeof given !== "string") return given ?? {};
  if (given.trim() === "") return {};
  try {
    return JSON.parse(given) as Json;
  } catch {
    return undefined;
  }
}
