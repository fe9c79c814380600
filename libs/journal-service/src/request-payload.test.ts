import { create } from "@bufbuild/protobuf";
import { DomainError } from "@heddle/errors";
import { PayloadReferenceSchema, PayloadSchema } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import { expect, it } from "vitest";
import { createRequestPayloadReader } from "./request-payload.ts";

const reader = createRequestPayloadReader("output");
const read = (json: string) => reader.read(create(PayloadSchema, { form: { case: "json", value: json } }));

it("reads values, null, and what is not there", () => {
  expect(read('{"a":[1,"\\u0000"]}')).toEqual({ a: [1, "\u0000"] });
  expect(read("null")).toBe(null);
  expect(reader.read(create(PayloadSchema))).toBe(null);
  expect(reader.read(undefined)).toBeUndefined();
});

it("leaves it to the taker whether a value is too deep for its purpose", () => {
  const json = "[".repeat(1_000) + "]".repeat(1_000);
  expect(JSON.stringify(read(json))).toBe(json);
});

it.each([
  [
    "one level too many",
    "[".repeat(1_001) + "]".repeat(1_001),
    /^output is nested deeper than 1000 levels; flatten it$/,
  ],
  ["text that is not JSON", "01990f5e-0000", /^output must be JSON \(RFC 8259\): /],
  ["nothing", "", /^output must be JSON/],
  [
    "what JSON.stringify could not write again",
    "[".repeat(20_000) + "]".repeat(20_000),
    /^output is nested deeper than/,
  ],
])("refuses %s", (_, json, message) => {
  expect(() => read(json)).toThrow(message);
});

it("refuses a reference by the name of its field", () => {
  const value = create(PayloadReferenceSchema, { digest: "0".repeat(64) });
  const fault = catchError(() => reader.read(create(PayloadSchema, { form: { case: "reference", value } })));
  expect(fault).toMatchObject({
    kind: "invalid_argument",
    reason: "REQUEST_INVALID",
    violations: [{ field: "output", description: expect.stringContaining("must hold the text") }],
  });
});

function catchError(run: () => unknown): DomainError {
  try {
    run();
  } catch (error) {
    if (error instanceof DomainError) return error;
  }
  throw new Error("nothing was refused");
}
