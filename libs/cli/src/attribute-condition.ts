import { create, fromJson, type MessageInitShape } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { type AttributeFilterSchema, AttributeRangeSchema } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { InvalidArgumentError } from "commander";

/** A condition on a search attribute, as it is sent. */
export type AttributeCondition = MessageInitShape<typeof AttributeFilterSchema>;

const CONDITION = /^([A-Za-z_][\w.-]*?)\s*(>=|<=|=|>|<)\s*(.*)$/s;
const BOUNDS = { ">=": "atLeast", ">": "above", "<=": "atMost", "<": "below" } as const;

/** `customer=acme`, `total>=100`, `due<2030-01-01T00:00:00Z`. What reads as a number, true or false is one; quotes make it a text. */
export function collectCondition(text: string, previous: AttributeCondition[] = []): AttributeCondition[] {
  const [, name, operator, value] = CONDITION.exec(text) ?? [];
  if (name === undefined || operator === undefined || value === undefined) {
    throw new InvalidArgumentError("use name=value, name>=value, name>value, name<=value or name<value.");
  }
  const operand = fromJson(ValueSchema, readScalar(value));
  if (operator === "=") return [...previous, { name, condition: { case: "equals", value: operand } }];
  const range = create(AttributeRangeSchema, { [BOUNDS[operator as keyof typeof BOUNDS]]: operand });
  return [...previous, { name, condition: { case: "range", value: range } }];
}

type Scalar = string | number | boolean;

/** `name=value`; a value in brackets is a list of texts. */
export function collectAttribute(
  text: string,
  previous: Record<string, Scalar | string[]> = {},
): Record<string, Scalar | string[]> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("use name=value, e.g. customer=acme, total=12.5 or tags=[a,b].");
  const value = text.slice(at + 1);
  const list = /^\[(.*)\]$/s.exec(value)?.[1];
  const items = list === undefined ? undefined : list === "" ? [] : list.split(",").map((item) => item.trim());
  return { ...previous, [text.slice(0, at)]: items ?? readScalar(value) };
}

function readScalar(text: string): Scalar {
  if (text === "true" || text === "false") return text === "true";
  if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return Number(text);
  return /^".*"$/s.test(text) ? text.slice(1, -1) : text;
}
