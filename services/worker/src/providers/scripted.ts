import { setTimeout as sleep } from "node:timers/promises";
import { ExpressionError, type Scope } from "@heddle/expression";
import { TaskError, type Json, type JsonObject } from "@heddle/sdk";
import type { ModelProvider, ModelReply, ModelRequest } from "./model-provider.ts";
import { compileScript, type ScriptRule } from "./script.ts";

/** Scripts by agent, as the operator's script file has them. */
export type Scripts = Readonly<Record<string, Json>>;

/**
 * Plays answers from a script in place of a model: for examples, tests and trials without a key. What it answers depends
 * on the agent, its input, the conversation and the attempt alone, so that a run can be repeated.
 */
export function createScriptedProvider(scripts: Scripts = {}): ModelProvider {
  const compiled = new WeakMap<object, ScriptRule[]>();

  function rulesFor({ agentName, script }: ModelRequest["about"]): ScriptRule[] {
    const source = script ?? (Object.hasOwn(scripts, agentName) ? scripts[agentName] : undefined) ?? scripts["*"];
    if (source === undefined) {
      throw new TaskError(
        "agent_invalid",
        `the scripted agent "${agentName}" has no script: give it \`script\` in its description, or an entry in HEDDLE_SCRIPT_FILE`,
        { retryable: false },
      );
    }
    if (typeof source !== "object" || source === null) return compileScript(agentName, source);
    const known = compiled.get(source) ?? compileScript(agentName, source);
    compiled.set(source, known);
    return known;
  }

  return {
    async complete(request, signal) {
      const { about } = request;
      const scope = scopeOf(request);
      const prompt = about.prompt.toLowerCase();
      const rule = rulesFor(about).find((each) => matches(each, prompt, scope));
      if (rule === undefined) {
        throw new TaskError(
          "model_request",
          `no rule in the script of the agent "${about.agentName}" fits turn ${about.turn} of attempt ${about.attempt}; end the script with a rule without conditions`,
          { retryable: false },
        );
      }
      if (rule.delayMs > 0) await sleep(rule.delayMs, undefined, { signal });
      if (rule.error !== undefined) {
        const { type, message, retryable, retryAfterMs } = rule.error;
        throw new TaskError(type, message, { retryable, retryAfterMs });
      }
      return explained(about.agentName, () => play(rule, request, scope));
    },
  };
}

function matches({ when, contains }: ScriptRule, prompt: string, scope: Scope): boolean {
  if (contains.length > 0 && !contains.some((text) => prompt.includes(text))) return false;
  if (when === undefined) return true;
  try {
    return when.evaluate(scope) === true;
  } catch (error) {
    // A condition on a field that this input lacks does not hold: rules are alternatives, not assertions.
    if (error instanceof ExpressionError) return false;
    throw error;
  }
}

function play(rule: ScriptRule, request: ModelRequest, scope: Scope): ModelReply {
  const { turn } = request.about;
  const reply = rule.reply?.evaluate(scope);
  const text = reply === undefined ? "" : typeof reply === "string" ? reply : JSON.stringify(reply);
  const toolCalls = rule.toolCalls.map((call, index) => ({
    id: `call_${turn}_${index}`,
    name: call.name,
    arguments: call.arguments.evaluate(scope),
  }));
  const read = request.messages.reduce(
    (sum, message) => sum + JSON.stringify(message).length,
    request.instructions?.length ?? 0,
  );
  return {
    text,
    toolCalls,
    stop: toolCalls.length > 0 ? "tool_calls" : "end",
    // About four characters make a token in English: enough to see figures move.
    usage: rule.usage ?? {
      inputTokens: Math.ceil(read / 4),
      outputTokens: Math.ceil((text.length + JSON.stringify(toolCalls).length) / 4),
    },
  };
}

/** `input`, its fields, `prompt`, `turn`, `attempt`, and `tools`: the last result of each tool by its name. */
function scopeOf({ about, messages }: ModelRequest): Scope {
  const { input, prompt, turn, attempt } = about;
  const tools: JsonObject = {};
  for (const message of messages) {
    if (message.role === "tool") for (const { name, value } of message.results) tools[name] = value;
  }
  const own: JsonObject = { input, prompt, turn, attempt, tools };
  const fields = typeof input === "object" && input !== null && !Array.isArray(input) ? input : {};
  return {
    get: (name) => (Object.hasOwn(own, name) ? own[name] : Object.hasOwn(fields, name) ? fields[name] : undefined),
    names: () => [...Object.keys(own), ...Object.keys(fields)],
  };
}

function explained(agentName: string, run: () => ModelReply): ModelReply {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new TaskError("expression", `the script of the agent "${agentName}": ${error.message}`, {
      retryable: false,
      cause: error,
    });
  }
}
