import type { JsonObject } from "@heddle/sdk";
import type { TokenUsage } from "../providers/model-provider.ts";
import type { AgentDescription } from "./agent-description.ts";

/** What a task has used of a model so far. */
export interface Usage {
  calls: number;
  toolCalls: number;
  inputTokens: number;
  outputTokens: number;
}

export function addCall(usage: Usage, { inputTokens, outputTokens }: TokenUsage): void {
  usage.calls += 1;
  usage.inputTokens += inputTokens;
  usage.outputTokens += outputTokens;
}

/** The form in outputs, progress and failures. `cost_usd` is there when the agent's prices are known. */
export function usageFields({ provider, model, prices }: AgentDescription, usage: Usage): JsonObject {
  const { calls, toolCalls, inputTokens, outputTokens } = usage;
  const cost = prices && (inputTokens * prices.input + outputTokens * prices.output) / 1_000_000;
  return {
    provider,
    model,
    calls,
    tool_calls: toolCalls,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    // Binary fractions make 0.30000000000000004 of a few cents.
    ...(cost !== undefined && { cost_usd: Math.round(cost * 1e9) / 1e9 }),
  };
}
