import type { Value } from "@bufbuild/protobuf/wkt";
import { DomainError } from "@heddle/errors";
import type { AttributeFilter, AttributeRange } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { AttributeCondition } from "../store/attributes.ts";

/** @throws DomainError REQUEST_INVALID */
export function toAttributeCondition({ name, condition }: AttributeFilter): AttributeCondition {
  if (condition.case === "range") return { name, ...readRange(name, condition.value) };
  const { kind } = condition.value ?? { kind: { case: undefined } };
  switch (kind.case) {
    case "stringValue":
    case "numberValue":
    case "boolValue":
      return { name, equals: kind.value };
    default:
      throw invalid(name, "equals must be a text, a number or a boolean");
  }
}

function readRange(name: string, range: AttributeRange): Omit<AttributeCondition, "name" | "equals"> {
  const bounds = {
    atLeast: readBound(name, range.atLeast),
    above: readBound(name, range.above),
    atMost: readBound(name, range.atMost),
    below: readBound(name, range.below),
  };
  const types = new Set(Object.values(bounds).flatMap((bound) => (bound === undefined ? [] : [typeof bound])));
  if (types.size === 1) return bounds;
  throw invalid(name, types.size === 0 ? "range has no bound" : "the bounds of range must be all texts or all numbers");
}

function readBound(name: string, value: Value | undefined): string | number | undefined {
  switch (value?.kind.case) {
    case undefined:
      return undefined;
    case "stringValue":
    case "numberValue":
      return value?.kind.value;
    default:
      throw invalid(name, "a bound of range must be a text or a number");
  }
}

function invalid(name: string, description: string): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: "REQUEST_INVALID",
    message: `the filter on attribute ${name}: ${description}`,
    violations: [{ field: "attributes", description: `${name}: ${description}` }],
  });
}
