import { ExpressionError, type Scope, type Template } from "@heddle/expression";
import { TaskError, type Json, type JsonObject, type TaskContext } from "@heddle/sdk";
import { AGENT_PARALLEL_CALLS_MAX } from "../limits.ts";
import type { ModelMessage, ModelProvider, ModelReply, ToolCall, ToolResult } from "../providers/model-provider.ts";
import type { AgentDescription } from "./agent-description.ts";
import type { ToolSet } from "./toolbox.ts";
import { addCall, usageFields, type Usage } from "./usage.ts";

export interface AgentRun {
  agent: AgentDescription;
  provider: ModelProvider;
  tools: ToolSet;
  input: Json;
  context: TaskContext;
}

/**
 * Asks the model, runs the tools that it calls, and asks again, until it answers; an answer that does not fit the output
 * schema is given back with what is wrong. Output: the object that the schema describes (any other value as `value`), or
 * `{ text }` without a schema; and `_usage` beside it.
 * @throws TaskError `model_*`, `agent_turns_exhausted`, `agent_output_invalid`, `agent_output_cut`, `agent_refused`; its details hold the usage
 */
export async function runAgent(run: AgentRun): Promise<JsonObject> {
  const usage: Usage = { calls: 0, toolCalls: 0, inputTokens: 0, outputTokens: 0 };
  try {
    const answer = await converse(run, usage);
    return { ...answer, _usage: usageFields(run.agent, usage) };
  } catch (error) {
    throw withUsage(error, usageFields(run.agent, usage), usage.calls);
  }
}

async function converse({ agent, provider, tools, input, context }: AgentRun, usage: Usage): Promise<JsonObject> {
  const prompt = agent.prompt === undefined ? asText(input) : fill(agent, "prompt", agent.prompt, input);
  const instructions = instructionsOf(agent, input);
  const messages: ModelMessage[] = [{ role: "user", text: prompt }];
  let repairs = 0;
  for (let turn = 1; turn <= agent.maxTurns; turn++) {
    const reply = await provider.complete(
      {
        model: agent.model,
        instructions,
        messages,
        tools: tools.specs,
        outputSchema: agent.output?.schema,
        temperature: agent.temperature,
        maxTokens: agent.maxTokens,
        about: { agentName: agent.name, input, prompt, turn, attempt: context.attempt, script: agent.script },
      },
      context.signal,
    );
    addCall(usage, reply.usage);
    context.heartbeat({ turn, ...usageFields(agent, usage) });
    checkStop(agent, reply);
    messages.push({ role: "assistant", text: reply.text, toolCalls: reply.toolCalls });
    if (reply.toolCalls.length > 0) {
      const results = await runCalls(reply.toolCalls, tools, turn, context);
      usage.toolCalls += results.length;
      messages.push({ role: "tool", results });
      continue;
    }
    if (agent.output === undefined) return { text: reply.text };
    const answer = agent.output.read(reply.text);
    if (answer.ok) return asObject(answer.value);
    if (repairs === agent.maxRepairs) {
      throw new TaskError(
        "agent_output_invalid",
        `the agent "${agent.name}" was asked ${repairs + 1} times and did not give what its output_schema wants: ${answer.problem}`,
      );
    }
    repairs += 1;
    messages.push({
      role: "user",
      text: `That answer cannot be used: ${answer.problem}. Answer again, with the corrected JSON only.`,
    });
  }
  throw new TaskError(
    "agent_turns_exhausted",
    `the agent "${agent.name}" was still not done after ${agent.maxTurns} turns; raise max_turns, or give it a smaller task`,
    { retryable: false },
  );
}

/** In parallel, in the order of the calls. What is above the limit gets an error, so that the model asks again. */
function runCalls(
  calls: readonly ToolCall[],
  tools: ToolSet,
  turn: number,
  context: TaskContext,
): Promise<ToolResult[]> {
  return Promise.all(
    calls.map(async (call, index) => {
      if (index < AGENT_PARALLEL_CALLS_MAX)
        return tools.run(call, `${context.idempotencyKey}/${turn}.${index}`, context);
      const message = `only ${AGENT_PARALLEL_CALLS_MAX} tools are called at once; call this one again`;
      return { callId: call.id, name: call.name, value: { error: message }, text: message, isError: true };
    }),
  );
}

function checkStop({ name, maxTokens }: AgentDescription, { stop, text }: ModelReply): void {
  if (stop === "length") {
    throw new TaskError(
      "agent_output_cut",
      `the answer of the agent "${name}" was cut at ${maxTokens} tokens; raise max_tokens`,
      { retryable: false },
    );
  }
  if (stop === "refusal") {
    throw new TaskError(
      "agent_refused",
      `the model of the agent "${name}" refuses: ${text.slice(0, 500) || "it gives no reason"}`,
      { retryable: false },
    );
  }
}

function instructionsOf(agent: AgentDescription, input: Json): string | undefined {
  const own = agent.instructions && fill(agent, "instructions", agent.instructions, input);
  const parts = [own, agent.output?.instructions].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join("\n\n");
}

/** `${input}` and the fields of the input by their bare names. */
function fill({ name }: AgentDescription, field: string, template: Template, input: Json): string {
  const fields = typeof input === "object" && input !== null && !Array.isArray(input) ? input : {};
  const scope: Scope = {
    get: (asked) => (asked === "input" ? input : Object.hasOwn(fields, asked) ? fields[asked] : undefined),
    names: () => ["input", ...Object.keys(fields)],
  };
  try {
    return asText(template.evaluate(scope));
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new TaskError("expression", `${field} of the agent "${name}": ${error.message}`, {
      retryable: false,
      cause: error,
    });
  }
}

function asText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
}

function asObject(value: Json): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : { value };
}

/** Tokens of an attempt that failed were paid for too. */
function withUsage(error: unknown, usage: JsonObject, calls: number): unknown {
  if (!(error instanceof TaskError) || calls === 0) return error;
  const { type, message, retryable, retryAfterMs } = error;
  return new TaskError(type, message, { retryable, retryAfterMs, details: { _usage: usage }, cause: error });
}
