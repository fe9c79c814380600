import type { Json, JsonObject } from "@heddle/engine";
import { DomainError, type FieldViolation } from "@heddle/errors";
import { linearRegularExpression } from "@heddle/expression";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { maxInputBytes } from "./limits.ts";

// Compiling a schema takes milliseconds, checking a value microseconds: once per plan.
const validators = new WeakMap<JsonObject, ValidateFunction>();

/**
 * Refuses an input that does not fit the input schema of its workflow, with one violation per place. `field` is what the
 * request calls it.
 */
export function checkInput(
  { workflowId, inputSchema }: { workflowId: string; inputSchema?: JsonObject },
  input: JsonObject,
  field: string,
): void {
  if (inputSchema !== undefined) checkPayload(workflowId, inputSchema, input, field);
}

/** Refuses a value that does not fit a schema. `what` is what the schema is of, for the message. */
export function checkPayload(what: string, schema: JsonObject, value: Json, field: string): void {
  const violations = findSchemaFaults(schema, value, field);
  if (violations.length === 0) return;
  throw new DomainError({
    kind: "invalid_argument",
    reason: "INPUT_INVALID",
    message: `the ${field} does not fit the input schema of ${what}: ${violations[0]?.field} ${violations[0]?.description}`,
    violations,
  });
}

/** Where a value does not fit a JSON Schema (2020-12); `field` is what the value is called. */
export function findSchemaFaults(schema: JsonObject, value: Json, field: string): FieldViolation[] {
  let validate = validators.get(schema);
  if (validate === undefined) {
    const ajv = new Ajv2020({
      allErrors: true,
      strict: false,
      // As the compiler of definitions does: neither a pattern nor a reference may cost more than its length.
      inlineRefs: false,
      code: { regExp: linearRegularExpression },
    });
    formats.default(ajv);
    validate = ajv.compile(schema);
    validators.set(schema, validate);
  }
  if (validate(value)) return [];
  return (validate.errors ?? []).map((error) => ({
    field: `${field}${error.instancePath.replaceAll("/", ".")}`,
    description: describe(error.keyword, error.message, error.params),
  }));
}

/** Refuses an input above the cap, by name and size. */
export function checkInputSize(input: JsonObject, field: string): void {
  const sizeBytes = Buffer.byteLength(JSON.stringify(input));
  if (sizeBytes <= maxInputBytes) return;
  throw new DomainError({
    kind: "invalid_argument",
    reason: "PAYLOAD_TOO_LARGE",
    message: `${field} has ${sizeBytes} bytes of JSON text; at most ${maxInputBytes} are taken. Store it elsewhere and pass a reference`,
    metadata: { name: field, size_bytes: String(sizeBytes), max_bytes: String(maxInputBytes) },
  });
}

function describe(keyword: string, message: string | undefined, parameters: Record<string, unknown>): string {
  if (keyword === "additionalProperties") return `must not have the field ${String(parameters["additionalProperty"])}`;
  if (keyword === "enum") return `must be one of ${JSON.stringify(parameters["allowedValues"])}`;
  return message ?? `breaks the rule ${keyword}`;
}
