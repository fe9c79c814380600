import { errorAt } from "./frame.ts";
import type { Span } from "./syntax.ts";
import { describeType } from "./value.ts";
import type { Value } from "./value.ts";

/** Nothing is true or false but true and false: no empty texts, zeros or nulls. */
export function needBoolean(value: Value, operator: string, at: Span): boolean {
  if (typeof value === "boolean") return value;
  const hint = "compare it with something, e.g. == true, != null, size(x) > 0";
  throw errorAt(at, "type", `"${operator}" needs true or false, not ${describeType(value)}`, hint);
}
