import { findAttributesFault } from "@heddle/engine";
import type { Json, JsonObject } from "@heddle/engine";
import type { ActionBody, NodeBody } from "../draft.ts";
import { createFields } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { MAX_ID_LENGTH } from "../limits.ts";
import type { SourceMap } from "../source/source-node.ts";
import { readTemplate, rejectExpression, useTemplate } from "./reader.ts";
import type { NodeReader } from "./reader.ts";
import { readClass } from "./retry.ts";
import { toJson } from "../source/to-json.ts";
import { WAIT_PARAMS, readWait } from "./wait.ts";

type ActionName = ActionBody["action"];
const ACTIONS = [
  "set",
  "set_attributes",
  "transform",
  "log",
  "wait",
  "fail",
  "emit",
  "break",
] as const satisfies readonly ActionName[];
const LEVELS = ["debug", "info", "warn", "error"] as const;

export function readAction(node: NodeReader): NodeBody {
  const { fields } = node;
  fields.require("subtype", `one of ${ACTIONS.join(", ")}`);
  const action = fields.oneOf("subtype", ACTIONS);
  if (action === "break" && fields.find("params") === undefined) return { kind: "action", action };
  const hint = action === undefined ? "what the action works with" : `e.g. ${PARAMS[action].example}`;
  const params = fields.require("params", hint) === undefined ? undefined : fields.object("params");
  if (action === undefined || params === undefined) return { kind: "unknown" };
  const { known, read } = PARAMS[action];
  const paramFields = createFields(params, `params of ${action}`, known ?? [...params.entries.keys()], fields.report);
  const body = read({ ...node, fields: paramFields }, params);
  return body === undefined ? { kind: "unknown" } : { kind: "action", ...body };
}

interface ParamsReader {
  /** undefined: any. */
  known?: readonly string[];
  example: string;
  read(reader: NodeReader, params: SourceMap): ActionBody | undefined;
}

const PARAMS: Record<ActionName, ParamsReader> = {
  set: {
    example: 'params: { score: "${classify.output.score}" }',
    read(reader, params) {
      useTemplate(reader, params);
      const value = toJson(params);
      return { action: "set", params: value as Extract<ActionBody, { action: "set" }>["params"] };
    },
  },
  set_attributes: {
    example: 'params: { customer: "${input.customer}", total: "${input.total}" }',
    read(reader, params) {
      useTemplate(reader, params);
      const value = toJson(params) as Extract<ActionBody, { action: "set_attributes" }>["params"];
      checkAttributes(reader, params, value);
      return { action: "set_attributes", params: value };
    },
  },
  transform: {
    known: ["value"],
    example: 'params: { value: "${input.items.map(i, i.price)}" }',
    read(reader) {
      const value = readRequired(reader, "value", "the value that the action gives");
      return value === undefined ? undefined : { action: "transform", value };
    },
  },
  log: {
    known: ["message", "level"],
    example: 'params: { message: "order ${input.id}" }',
    read(reader) {
      const message = readRequired(reader, "message", "the text to log");
      const level = reader.fields.oneOf("level", LEVELS) ?? "info";
      return message === undefined ? undefined : { action: "log", message, level };
    },
  },
  wait: { known: WAIT_PARAMS, example: "params: { duration: 5m }", read: readWait },
  fail: {
    known: ["message", "type", "class", "details"],
    example: "params: { message: no such customer, type: not_found }",
    read(reader) {
      const message = readRequired(reader, "message", "the text that says why");
      const type = readTemplate(reader, "type");
      const errorClass = readClass(reader.fields);
      const details = readTemplate(reader, "details");
      return message === undefined
        ? undefined
        : {
            action: "fail",
            message,
            ...(type === undefined ? {} : { errorType: type.value }),
            ...(errorClass === undefined ? {} : { class: errorClass }),
            ...(details === undefined ? {} : { details: details.value }),
          };
    },
  },
  break: {
    known: ["value"],
    example: 'params: { value: "${check.output}" }',
    read(reader) {
      const value = readTemplate(reader, "value");
      return { action: "break", ...(value && { value: value.value }) };
    },
  },
  emit: {
    known: ["event", "key", "payload"],
    example: 'params: { event: order_shipped, payload: { id: "${input.id}" } }',
    read(reader) {
      reader.fields.require("event", "the name of the event, e.g. event: order_shipped");
      const event = readName(reader.fields, "event");
      const key = readTemplate(reader, "key");
      const payload = readTemplate(reader, "payload");
      return event === undefined
        ? undefined
        : {
            action: "emit",
            event,
            ...(key === undefined ? {} : { key: key.value }),
            ...(payload === undefined ? {} : { payload: payload.value }),
          };
    },
  },
};

/** As far as it can be said before the expressions are evaluated. */
function checkAttributes({ fields }: NodeReader, at: SourceMap, value: JsonObject): void {
  const isOpen = (one: Json) => typeof one === "string" && one.includes("${");
  const known = Object.entries(value).map(([name, one]) => [name, isOpen(one) ? "" : one] as const);
  const fault = findAttributesFault(Object.fromEntries(known), { allowNull: true });
  if (fault === undefined) return;
  fields.report.add("bad-attributes", at, `the attributes ${fault}`, "e.g. params: { customer: acme, total: 12.5 }");
}

function readRequired(reader: NodeReader, name: string, hint: string) {
  const template = readTemplate(reader, name);
  if (template === undefined) reader.fields.require(name, hint);
  return template?.value;
}

function readName(fields: Fields, field: string): string | undefined {
  rejectExpression(fields, field, "write it out; put what varies into the payload");
  return fields.text(field, MAX_ID_LENGTH);
}
