import { create, type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import type { Random } from "./random.ts";

/** The last that JSON can say. */
export const LAST_TIME = "9999-12-31T23:59:59.999999999Z";

/** Several are those of something that exists, so that the others get past the first look. */
const TEXTS = [
  "",
  "",
  "echo",
  "echo",
  "01990f5e-0000-7000-8000-000000000000",
  "\u0000",
  "a\u0000b",
  "'; drop table definitions; --",
  "%",
  "__proto__",
  "\u202e\ud83d\ude00",
  "x".repeat(120),
  "x".repeat(20_000),
];

/** A message in JSON form with something unpleasant in each of its fields; `liveIds` are those of what exists. */
export function hostileMessage(message: DescMessage, random: Random, liveIds: readonly string[], depth = 0): unknown {
  if (message.typeName === "google.protobuf.Struct")
    return JSON.parse('{"__proto__":{"a":1},"constructor":[null],"":"\\u0000"}');
  if (message.typeName === "google.protobuf.Value") return pick(random, ["\u0000", null, { "": ["\u0000"] }]);
  if (message.typeName === "google.protobuf.Duration") return pick(random, ["-1s", "315576000000s", "0.000000001s"]);
  if (message.typeName === "google.protobuf.Timestamp") {
    return pick(random, ["0001-01-01T00:00:00Z", LAST_TIME]);
  }
  // Of the fields that exclude one another one: with two the message would not even be read.
  const chosen = message.oneofs.map(({ fields }) => pick(random, fields));
  const fields = message.fields.filter(
    (field) => depth < 3 && random.below(4) > 0 && (field.oneof === undefined || chosen.includes(field)),
  );
  return Object.fromEntries(fields.map((field) => [field.jsonName, hostileField(field, random, liveIds, depth)]));
}

function hostileField(field: DescField, random: Random, liveIds: readonly string[], depth: number): unknown {
  if (field.fieldKind === "map") {
    return Object.fromEntries(
      ["__proto__", "a\u0000b", "x".repeat(300)].map((key) => [key, field.mapKind === "scalar" ? "\u0000" : {}]),
    );
  }
  const one = (): unknown => {
    if (field.message !== undefined) return hostileMessage(field.message, random, liveIds, depth + 1);
    if (field.enum !== undefined) return pick(random, [0, 1, 99, -1]);
    switch (field.scalar) {
      case ScalarType.STRING:
        return random.below(3) === 0 ? pick(random, liveIds) : pick(random, TEXTS);
      case ScalarType.BOOL:
        return random.below(2) === 0;
      case ScalarType.BYTES:
        return "AP8=";
      default:
        return pick(random, [0, 1, 1000, 4294967295, -1, "18446744073709551615", 1.5]);
    }
  };
  return field.fieldKind === "list" ? [one(), one()] : one();
}

const SECONDS = [
  0n,
  -62_167_219_201n,
  -8_640_000_000_001n,
  253_402_300_800n,
  8_640_000_000_001n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];
const NANOS = [0, 999_999_999, -1, 2 ** 31 - 1];

function isTime({ message }: DescField): boolean {
  return message?.typeName === TimestampSchema.typeName;
}

/** Whether a message, or one in it, has a time. */
export function hasTimes({ fields }: DescMessage, depth = 0): boolean {
  return fields.some(
    (field) => isTime(field) || (depth < 2 && field.message !== undefined && hasTimes(field.message, depth + 1)),
  );
}

/** Gives all times of a message, and of those in it, values that only the wire can have. */
export function setTimes(schema: DescMessage, message: Message, random: Random): void {
  const reflected = reflect(schema, message);
  for (const field of schema.fields) {
    if (field.fieldKind !== "message") continue;
    if (isTime(field)) {
      const time = create(TimestampSchema, { seconds: pick(random, SECONDS), nanos: pick(random, NANOS) });
      reflected.set(field, reflect(TimestampSchema, time));
    } else if (reflected.isSet(field)) setTimes(field.message, reflected.get(field).message, random);
  }
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.below(values.length)] as T;
}
