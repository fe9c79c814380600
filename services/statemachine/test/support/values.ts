import { fromJson, toJson, type JsonValue } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";

export function value(json: JsonValue): Value {
  return fromJson(ValueSchema, json);
}

export function jsonOf(message: Value | undefined): JsonValue | undefined {
  return message === undefined ? undefined : toJson(ValueSchema, message);
}
