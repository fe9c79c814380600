import {
  compileExpression,
  compileTemplate,
  ExpressionError,
  type Expression,
  type Template,
} from "@heddle/expression";
import { TaskError, type Json, type JsonObject } from "@heddle/sdk";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parseDurationMs } from "../tools/duration.ts";

/** One answer of a scripted agent, and when it is given. */
export interface ScriptRule {
  /** Absent: always. */
  when: Expression | undefined;
  /** Texts of which one must be in the prompt, in any case; empty: no matter. */
  contains: readonly string[];
  reply: Template | undefined;
  toolCalls: readonly { name: string; arguments: Template }[];
  error: ScriptError | undefined;
  delayMs: number;
  usage: { inputTokens: number; outputTokens: number } | undefined;
}

interface ScriptError {
  type: string;
  message: string;
  retryable: boolean;
  retryAfterMs: number;
}

const text = { type: "string" };
const duration = { type: ["string", "number"] };

/** The form of one rule, for people: docs/agents.md. */
const RULES_SCHEMA: JsonObject = {
  type: "array",
  minItems: 1,
  maxItems: 10_000,
  items: {
    type: "object",
    additionalProperties: false,
    properties: {
      when: text,
      contains: { anyOf: [text, { type: "array", items: text, minItems: 1 }] },
      reply: {},
      tool_calls: {
        type: "array",
        minItems: 1,
        items: {
          type: "object",
          required: ["name"],
          additionalProperties: false,
          properties: { name: text, arguments: { type: "object" } },
        },
      },
      error: {
        type: "object",
        required: ["type"],
        additionalProperties: false,
        properties: { type: text, message: text, retryable: { type: "boolean" }, retry_after: duration },
      },
      delay: duration,
      usage: {
        type: "object",
        additionalProperties: false,
        properties: {
          input_tokens: { type: "integer", minimum: 0 },
          output_tokens: { type: "integer", minimum: 0 },
        },
      },
    },
    oneOf: [{ required: ["reply"] }, { required: ["tool_calls"] }, { required: ["error"] }],
  },
};

const validate = new Ajv2020({ strict: false, allErrors: true }).compile(RULES_SCHEMA);

/** A rule as it is written down; the schema has checked it. */
interface RuleSource {
  when?: string;
  contains?: string | string[];
  reply?: Json;
  tool_calls?: { name: string; arguments?: JsonObject }[];
  error?: { type: string; message?: string; retryable?: boolean; retry_after?: string | number };
  delay?: string | number;
  usage?: { input_tokens?: number; output_tokens?: number };
}

/** Compiles the rules of one agent. @throws TaskError `agent_invalid` that names the rule, not retryable */
export function compileScript(agentName: string, rules: Json): ScriptRule[] {
  if (!validate(rules)) {
    const [error] = validate.errors ?? [];
    throw invalid(
      agentName,
      `${error?.instancePath || "the list"} ${error?.message ?? "is wrong"}; each rule has one of reply, tool_calls and error`,
    );
  }
  return (rules as unknown as RuleSource[]).map((rule, index) => {
    try {
      return compileRule(rule);
    } catch (error) {
      if (error instanceof ExpressionError) throw invalid(agentName, `rule ${index + 1}: ${error.message}`);
      throw error;
    }
  });

  function compileRule({
    when,
    contains = [],
    reply,
    tool_calls: calls = [],
    error,
    delay,
    usage,
  }: RuleSource): ScriptRule {
    return {
      when: when === undefined ? undefined : compileExpression(when),
      contains: [contains].flat().map((each) => each.toLowerCase()),
      reply: reply === undefined ? undefined : compileTemplate(reply),
      toolCalls: calls.map(({ name, arguments: given = {} }) => ({ name, arguments: compileTemplate(given) })),
      error: error && {
        type: error.type,
        message: error.message ?? "the script says so",
        retryable: error.retryable ?? true,
        retryAfterMs: durationOf(error.retry_after),
      },
      delayMs: durationOf(delay),
      usage: usage && { inputTokens: usage.input_tokens ?? 0, outputTokens: usage.output_tokens ?? 0 },
    };
  }

  function durationOf(value: string | number | undefined): number {
    const durationMs = value === undefined ? 0 : parseDurationMs(value);
    if (durationMs === undefined) throw invalid(agentName, `"${value}" is no duration such as 200ms or 2s`);
    return durationMs;
  }
}

function invalid(agentName: string, what: string): TaskError {
  return new TaskError("agent_invalid", `the script of the agent "${agentName}" is wrong: ${what}`, {
    retryable: false,
  });
}
