import { TaskError, type Json, type JsonObject } from "@heddle/sdk";
import { Ajv2020 } from "ajv/dist/2020.js";

/** The shape that an agent's answer must have. */
export interface OutputSchema {
  schema: JsonObject;
  /** What the model is told about it. */
  instructions: string;
  /** The answer as a value, or what is wrong with it in words that a model can act on. */
  read(text: string): { ok: true; value: Json } | { ok: false; problem: string };
}

/** @throws TaskError `agent_invalid`, not retryable */
export function compileOutputSchema(agentName: string, schema: JsonObject): OutputSchema {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  let validate;
  try {
    validate = ajv.compile(schema);
  } catch (cause) {
    throw new TaskError(
      "agent_invalid",
      `output_schema of the agent "${agentName}" is no JSON Schema: ${(cause as Error).message}`,
      {
        retryable: false,
        cause,
      },
    );
  }
  return {
    schema,
    instructions: `Answer with JSON only, without any other text, that fits this JSON Schema:\n${JSON.stringify(schema)}`,
    read(text) {
      const value = parseAnswer(text);
      if (value === undefined) return { ok: false, problem: "the answer is not JSON" };
      if (validate(value)) return { ok: true, value };
      const faults = (validate.errors ?? []).slice(0, 10).map(({ instancePath, message, params }) => {
        const detail = "allowedValues" in params ? `: ${JSON.stringify(params["allowedValues"])}` : "";
        return `${instancePath || "the answer"} ${message ?? "is wrong"}${detail}`;
      });
      return { ok: false, problem: faults.join("; ") };
    },
  };
}

/** Models like to wrap JSON into a fence, or into a sentence: what is between the first bracket and the last is tried then. */
function parseAnswer(text: string): Json | undefined {
  const whole = parse(text);
  if (whole !== undefined) return whole;
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n\s*```/.exec(text)?.[1];
  const inFence = fenced === undefined ? undefined : parse(fenced);
  if (inFence !== undefined) return inFence;
  const start = text.search(/[[{]/);
  const end = Math.max(text.lastIndexOf("}"), text.lastIndexOf("]"));
  return start === -1 || end < start ? undefined : parse(text.slice(start, end + 1));
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
