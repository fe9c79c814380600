import type { Json, JsonObject, TaskNode } from "@heddle/engine";
import type { Report } from "./report.ts";
import { compileSchema, follow, isJsonObject } from "./schema.ts";
import type { SourceNode, Span } from "./source/source-node.ts";

/** Checks what of a tool's inputs is constant against its schema; what expressions will give is not known yet. */
export function checkToolInputs(
  task: Pick<TaskNode, "inputs" | "taskName"> & { inputsAt?: SourceNode; nameAt?: SourceNode },
  schema: JsonObject,
  report: Report,
): void {
  const at = task.inputsAt ?? task.nameAt;
  if (at === undefined) return;
  for (const { node, text } of findConstantFaults(task.inputs ?? {}, at, schema)) {
    const message = `the inputs of the tool "${task.taskName}" are wrong${text}`;
    report.add("bad-tool-inputs", node, message, "see the schema of the tool");
  }
}

/** What of a template can already be seen not to fit a schema. `text` begins with the place, if there is one to name. */
export function findConstantFaults(
  template: Json,
  at: SourceNode,
  schema: JsonObject,
): { node: SourceNode | Span; text: string }[] {
  const validate = compileSchema(schema);
  if (validate === undefined || validate(template)) return [];
  return (validate.errors ?? []).flatMap((error) => {
    const value = valueAt(template, error.instancePath);
    const isCombined = ["oneOf", "anyOf", "not", "if"].includes(error.keyword);
    if (value === undefined || isDynamic(value, isCombined)) return [];
    const place = error.instancePath === "" ? "" : ` at ${error.instancePath.slice(1)}`;
    const name = extraProperty(error.params);
    const node = follow(at, error.instancePath);
    const entry = name === undefined || node.kind !== "map" ? undefined : node.entries.get(name);
    const detail = name === undefined ? "" : ` "${name}"`;
    return [{ node: entry?.key ?? node, text: `${place}: ${error.message ?? "not valid"}${detail}` }];
  });
}

function extraProperty(params: Record<string, unknown>): string | undefined {
  const name = params["additionalProperty"] ?? params["unevaluatedProperty"];
  return typeof name === "string" ? name : undefined;
}

/** A text with an expression says nothing about what it will be; nor does what holds one, when alternatives are tried. */
function isDynamic(value: Json, deep: boolean): boolean {
  if (typeof value === "string") return value.includes("${");
  if (!deep || typeof value !== "object" || value === null) return false;
  return Object.values(value).some((inner) => isDynamic(inner, true));
}

function valueAt(value: Json, pointer: string): Json | undefined {
  let current: Json | undefined = value;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(current)) current = current[Number(name)];
    else current = isJsonObject(current) && Object.hasOwn(current, name) ? current[name] : undefined;
  }
  return current;
}
