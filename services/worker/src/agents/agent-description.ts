import { compileTemplate, ExpressionError, type Template } from "@heddle/expression";
import { TaskError, type Json, type JsonObject } from "@heddle/sdk";
import { Ajv2020 } from "ajv/dist/2020.js";
import {
  AGENT_REPAIRS_DEFAULT,
  AGENT_REPAIRS_MAX,
  AGENT_TOKENS_DEFAULT,
  AGENT_TURNS_DEFAULT,
  AGENT_TURNS_MAX,
} from "../limits.ts";
import { compileOutputSchema, type OutputSchema } from "./output-schema.ts";

/** An agent, ready to run. */
export interface AgentDescription {
  name: string;
  /** Name of a provider of this worker. */
  provider: string;
  model: string;
  /** System prompt. */
  instructions: Template | undefined;
  /** The user's message; absent: the input itself. */
  prompt: Template | undefined;
  /** Names of tools of this worker. */
  tools: readonly string[];
  output: OutputSchema | undefined;
  temperature: number | undefined;
  maxTurns: number;
  maxTokens: number;
  maxRepairs: number;
  prices: Prices | undefined;
  /** Only from the operator's file. */
  baseUrl: string | undefined;
  /** Rules of a scripted agent. */
  script: Json | undefined;
}

/** US dollars for a million tokens. */
export interface Prices {
  input: number;
  output: number;
}

/** Fields as people write them. */
interface AgentSource {
  id?: string;
  provider: string;
  model?: string;
  instructions?: string;
  prompt?: string;
  tools?: string[];
  output_schema?: JsonObject;
  temperature?: number;
  max_turns?: number;
  max_tokens?: number;
  max_repairs?: number;
  prices?: Prices;
  base_url?: string;
  script?: Json;
}

const text = { type: "string" };

const AGENT_SCHEMA: JsonObject = {
  type: "object",
  required: ["provider"],
  additionalProperties: false,
  properties: {
    id: { type: "string", minLength: 1, maxLength: 128 },
    name: text,
    description: text,
    provider: { type: "string", minLength: 1 },
    model: { type: "string", minLength: 1 },
    instructions: text,
    prompt: text,
    tools: { type: "array", items: text, maxItems: 64, uniqueItems: true },
    output_schema: { type: "object" },
    temperature: { type: "number", minimum: 0, maximum: 2 },
    max_turns: { type: "integer", minimum: 1, maximum: AGENT_TURNS_MAX },
    max_tokens: { type: "integer", minimum: 1, maximum: 1_000_000 },
    max_repairs: { type: "integer", minimum: 0, maximum: AGENT_REPAIRS_MAX },
    prices: {
      type: "object",
      required: ["input", "output"],
      additionalProperties: false,
      properties: { input: { type: "number", minimum: 0 }, output: { type: "number", minimum: 0 } },
    },
    base_url: { type: "string", pattern: "^https?://" },
    script: {},
  },
};

const validate = new Ajv2020({ strict: false, allErrors: true }).compile<AgentSource>(AGENT_SCHEMA);

/** Where a description comes from decides what it may say. */
export type AgentOrigin = "definition" | "operator";

/** Fields that would let a definition send the operator's key to a server of its own, or bring secrets into a history. */
const SECRET_FIELDS = ["api_key", "api_key_env", "headers"];

/** Reads an agent's description. @throws TaskError `agent_invalid` that lists what is wrong, not retryable */
export function readAgent(name: string, source: JsonObject, origin: AgentOrigin): AgentDescription {
  refuseSecrets(name, source, origin);
  if (!validate(source)) {
    const faults = (validate.errors ?? []).slice(0, 5).map(({ instancePath, message, params }) => {
      const extra: unknown = (params as Record<string, unknown>)["additionalProperty"];
      return `${instancePath.slice(1) || "it"} ${message ?? "is wrong"}${typeof extra === "string" ? ` ("${extra}")` : ""}`;
    });
    throw invalid(name, faults.join("; "));
  }
  if (source.model === undefined && source.provider !== "scripted")
    throw invalid(name, "`model` is missing: name the model to ask");
  return {
    name,
    provider: source.provider,
    model: source.model ?? "scripted",
    instructions: template(name, "instructions", source.instructions),
    prompt: template(name, "prompt", source.prompt),
    tools: source.tools ?? [],
    output: source.output_schema && compileOutputSchema(name, source.output_schema),
    temperature: source.temperature,
    maxTurns: source.max_turns ?? AGENT_TURNS_DEFAULT,
    maxTokens: source.max_tokens ?? AGENT_TOKENS_DEFAULT,
    maxRepairs: source.max_repairs ?? AGENT_REPAIRS_DEFAULT,
    prices: source.prices,
    baseUrl: source.base_url,
    script: source.script,
  };
}

function refuseSecrets(name: string, source: JsonObject, origin: AgentOrigin): void {
  const secret = SECRET_FIELDS.find((field) => field in source);
  if (secret !== undefined) {
    throw invalid(
      name,
      `\`${secret}\` has no place here: keys come from the worker's environment, e.g. OPENAI_API_KEY or OPENAI_API_KEY_FILE`,
    );
  }
  if (origin === "definition" && "base_url" in source) {
    throw invalid(
      name,
      "`base_url` is for the operator's HEDDLE_AGENTS_FILE only: declare a provider there, and name it in `provider`",
    );
  }
}

function template(name: string, field: string, source: string | undefined): Template | undefined {
  if (source === undefined) return undefined;
  try {
    return compileTemplate(source);
  } catch (error) {
    if (error instanceof ExpressionError) throw invalid(name, `${field}: ${error.message}`);
    throw error;
  }
}

function invalid(name: string, what: string): TaskError {
  return new TaskError("agent_invalid", `the description of the agent "${name}" is wrong: ${what}`, {
    retryable: false,
  });
}
