import type { Json, JsonObject } from "@heddle/sdk";

/** One way to ask a model. Adapters translate; what happens with an answer is the agent loop's business. */
export interface ModelProvider {
  /** @throws TaskError of type `model_*`, retryable when another attempt may succeed */
  complete(request: ModelRequest, signal: AbortSignal): Promise<ModelReply>;
}

export interface ModelRequest {
  model: string;
  /** What the model is; sent as the system prompt. */
  instructions: string | undefined;
  /** The conversation so far, beginning with the user's message. */
  messages: readonly ModelMessage[];
  tools: readonly ModelTool[];
  /** The answer must be JSON that fits; for servers that can see to it themselves. */
  outputSchema: JsonObject | undefined;
  temperature: number | undefined;
  maxTokens: number;
  /** What scripted answers are chosen by. Models see none of it. */
  about: RequestContext;
}

export interface RequestContext {
  agentName: string;
  input: Json;
  prompt: string;
  /** Calls of the model in this task, from 1. */
  turn: number;
  /** Attempt of the task, from 1. */
  attempt: number;
  /** What the agent's description says for its provider alone. */
  script: Json | undefined;
}

export type ModelMessage =
  | { role: "user"; text: string }
  | { role: "assistant"; text: string; toolCalls: readonly ToolCall[] }
  | { role: "tool"; results: readonly ToolResult[] };

export interface ModelTool {
  /** Letters, digits, `_` and `-`, at most 64: what every server takes. */
  name: string;
  description: string;
  /** JSON Schema of an object. */
  parameters: JsonObject;
}

export interface ToolCall {
  id: string;
  name: string;
  /** What the model gave; undefined when it was no JSON. */
  arguments: Json | undefined;
}

export interface ToolResult {
  callId: string;
  name: string;
  /** What the tool gave, for rules of scripts. */
  value: Json;
  /** What the model gets to see of it. */
  text: string;
  isError: boolean;
}

export interface ModelReply {
  text: string;
  toolCalls: ToolCall[];
  /** `length`: the answer was cut at maxTokens. */
  stop: "end" | "tool_calls" | "length" | "refusal";
  usage: TokenUsage;
}

export interface TokenUsage {
  inputTokens: number;
  outputTokens: number;
}
