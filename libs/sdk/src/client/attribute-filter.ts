import { fromJson, type MessageInitShape } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { AttributeFilterSchema } from "@heddle/proto/heddle/execution/v1/execution_pb.js";

/** A condition on a search attribute: `{ name: "customer", equals: "acme" }`, `{ name: "total", atLeast: 100, below: 200 }`. */
export type AttributeFilter = { name: string } & (
  | { equals: string | number | boolean }
  | { atLeast?: string | number; above?: string | number; atMost?: string | number; below?: string | number }
);

export function attributeFilter({
  name,
  ...condition
}: AttributeFilter): MessageInitShape<typeof AttributeFilterSchema> {
  if ("equals" in condition) return { name, condition: { case: "equals", value: valueOf(condition.equals) } };
  const bounds = Object.entries(condition).filter(([, bound]) => bound !== undefined);
  const range = Object.fromEntries(bounds.map(([bound, value]) => [bound, valueOf(value)]));
  return { name, condition: { case: "range", value: range } };
}

function valueOf(value: string | number | boolean): Value {
  return fromJson(ValueSchema, value);
}
