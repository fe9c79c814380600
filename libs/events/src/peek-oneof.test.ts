import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  CustomEventEmittedSchema,
  ExecutionEventSchema,
} from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { assert, property, uint8Array } from "fast-check";
import { expect, it } from "vitest";
import { createOneofPeek, peekTexts } from "./peek-oneof.ts";

const peek = createOneofPeek(ExecutionEventSchema, ["customEventEmitted", "executionCanceled"]);

function encode(event: MessageInitShape<typeof ExecutionEventSchema>["event"]): Uint8Array {
  const occurredAt = timestampFromMs(1_700_000_000_123);
  const message = create(ExecutionEventSchema, { executionId: "0199aaaa-0000", seq: 1n << 40n, occurredAt, event });
  return toBinary(ExecutionEventSchema, message);
}

it("finds the cases that are wanted, with the bytes of what is in them", () => {
  const emitted = create(CustomEventEmittedSchema, { name: "bezahlt", key: "ä" });
  const found = peek(encode({ case: "customEventEmitted", value: emitted }));
  expect(found?.case).toBe("customEventEmitted");
  expect(new Uint8Array(found!.value)).toEqual(new Uint8Array(toBinary(CustomEventEmittedSchema, emitted)));
  expect(peek(encode({ case: "executionCanceled", value: {} }))).toMatchObject({ case: "executionCanceled" });
});

it.each([
  ["another case", encode({ case: "executionCompleted", value: {} })],
  ["no case, as of a newer release", encode({ case: undefined })],
  ["nothing", new Uint8Array()],
])("passes over %s", (_, bytes) => {
  expect(peek(bytes)).toBeUndefined();
});

it("reads texts by their fields, in the order asked for", () => {
  const { field } = CustomEventEmittedSchema;
  const bytes = toBinary(CustomEventEmittedSchema, create(CustomEventEmittedSchema, { name: "bezahlt", key: "ä" }));
  expect(peekTexts(bytes, [field.key.number, field.name.number, 1_000])).toEqual(["ä", "bezahlt", ""]);
});

it("comes to an end on any bytes", () => {
  assert(
    property(uint8Array({ maxLength: 200 }), (bytes) => {
      const found = peek(bytes);
      if (found !== undefined) peekTexts(found.value, [1, 2]);
      expect(found === undefined || ["customEventEmitted", "executionCanceled"].includes(found.case)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
