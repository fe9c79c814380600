import type { JsonObject } from "@heddle/sdk";
import { countOf, listOf, objectOf, textOf } from "./fields.ts";
import type { ModelMessage, ModelProvider, ModelReply, ModelRequest } from "./model-provider.ts";
import { createModelServer } from "./model-server.ts";
import type { HttpProviderOptions } from "./openai.ts";

const BASE_URL = "https://api.anthropic.com";

/** The version of the Messages API whose forms are used here. */
const API_VERSION = "2023-06-01";

/** Anthropic's Messages API. */
export function createAnthropicProvider(options: HttpProviderOptions): ModelProvider {
  const { name, baseUrl = BASE_URL, apiKey, timeoutMs } = options;
  const headers: Record<string, string> = { "anthropic-version": API_VERSION };
  if (apiKey !== undefined) headers["x-api-key"] = apiKey;
  const server = createModelServer({ name, baseUrl, headers, secret: apiKey, timeoutMs });
  return {
    async complete(request, signal) {
      return toReply(await server.post("/v1/messages", toBody(request), signal));
    },
  };
}

function toBody({ model, instructions, messages, tools, temperature, maxTokens }: ModelRequest): JsonObject {
  return {
    model,
    max_tokens: maxTokens,
    messages: messages.map(toMessage),
    ...(instructions !== undefined && { system: instructions }),
    ...(temperature !== undefined && { temperature }),
    ...(tools.length > 0 && {
      tools: tools.map(({ name, description, parameters }) => ({ name, description, input_schema: parameters })),
    }),
  };
}

function toMessage(message: ModelMessage): JsonObject {
  switch (message.role) {
    case "user":
      return { role: "user", content: message.text };
    case "assistant": {
      const calls = message.toolCalls.map(({ id, name, arguments: given }) => ({
        type: "tool_use",
        id,
        name,
        input: objectOf(given),
      }));
      // Empty text is refused, and so is a message without any content.
      const empty = message.text === "" && calls.length === 0;
      const text = empty ? "(no answer)" : message.text;
      return { role: "assistant", content: [...(text === "" ? [] : [{ type: "text", text }]), ...calls] };
    }
    case "tool":
      return {
        role: "user",
        content: message.results.map(({ callId, text, isError }) => ({
          type: "tool_result",
          tool_use_id: callId,
          content: text,
          ...(isError && { is_error: true }),
        })),
      };
  }
}

function toReply(answer: JsonObject): ModelReply {
  const blocks = listOf(answer["content"]).map(objectOf);
  const usage = objectOf(answer["usage"]);
  return {
    text: blocks.flatMap((block) => (block["type"] === "text" ? [textOf(block["text"])] : [])).join(""),
    toolCalls: blocks.flatMap((block) =>
      block["type"] === "tool_use"
        ? [{ id: textOf(block["id"]), name: textOf(block["name"]), arguments: block["input"] }]
        : [],
    ),
    stop: stopOf(textOf(answer["stop_reason"])),
    usage: {
      // What was read from the cache or written to it is input too, and is counted apart.
      inputTokens:
        countOf(usage["input_tokens"]) +
        countOf(usage["cache_read_input_tokens"]) +
        countOf(usage["cache_creation_input_tokens"]),
      outputTokens: countOf(usage["output_tokens"]),
    },
  };
}

function stopOf(reason: string): ModelReply["stop"] {
  switch (reason) {
    case "tool_use":
      return "tool_calls";
    case "max_tokens":
      return "length";
    case "refusal":
      return "refusal";
    default:
      return "end";
  }
}
