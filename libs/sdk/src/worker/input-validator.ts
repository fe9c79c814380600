import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import type { JsonObject } from "../json.ts";
import { TaskError } from "./task-error.ts";

/** @throws TaskError `input_invalid`, not retryable */
export type CheckInput = (input: unknown) => void;

/**
 * Compiles a handler's input schema, once.
 * @throws TypeError when it is no JSON Schema
 */
export function compileInputSchema(name: string, schema: JsonObject): CheckInput {
  // Not strict: schemas come from people and models, and an unknown keyword there is a remark, not a fault.
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false });
  let validate;
  try {
    validate = ajv.compile(schema);
  } catch (cause) {
    throw new TypeError(`inputSchema of "${name}" is no JSON Schema: ${(cause as Error).message}`, { cause });
  }
  return (input) => {
    if (validate(input)) return;
    const errors = validate.errors ?? [];
    throw new TaskError("input_invalid", `the input of "${name}" does not fit its schema: ${describe(errors)}`, {
      retryable: false,
      details: errors.slice(0, 20).map((error) => ({ path: pathOf(error), message: error.message ?? error.keyword })),
    });
  };
}

function describe(errors: ErrorObject[]): string {
  const shown = errors.slice(0, 5).map((error) => `${pathOf(error)} ${error.message ?? error.keyword}`);
  if (errors.length > shown.length) shown.push(`and ${errors.length - shown.length} more`);
  return shown.join("; ");
}

function pathOf({ instancePath }: ErrorObject): string {
  return instancePath === "" ? "input" : `input${instancePath.replaceAll("/", ".")}`;
}
