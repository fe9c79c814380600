import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { assert, property, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { peekEnd } from "./peek-end.ts";

function encode(event: MessageInitShape<typeof ExecutionEventSchema>["event"]): Uint8Array {
  return toBinary(
    ExecutionEventSchema,
    create(ExecutionEventSchema, {
      executionId: "0199aaaa-0000-7000-8000-000000000001",
      seq: 1n << 40n,
      occurredAt: timestampFromMs(1_700_000_000_123),
      event,
    }),
  );
}

const output = { form: { case: "json", value: JSON.stringify({ text: "ü".repeat(40_000) }) } } as const;
const what = { namespace: "default", workflowId: "nächtlich" };

describe("a look at the bytes", () => {
  it.each([
    ["completed", encode({ case: "executionCompleted", value: { output, ...what } })],
    ["failed", encode({ case: "executionFailed", value: { failure: { type: "t", message: "m" }, ...what } })],
    ["canceled", encode({ case: "executionCanceled", value: { reason: "no longer needed", ...what } })],
    ["canceled", encode({ case: "executionCanceled", value: what })],
  ])("finds what was %s", (status, bytes) => {
    expect(peekEnd(bytes)).toEqual({ status, ...what });
  });

  it.each([
    ["a start", encode({ case: "executionStarted", value: { ...what, version: 1 } })],
    ["a task", encode({ case: "taskCompleted", value: { nodeId: "a", output } })],
    ["an end of a release that did not say of what", encode({ case: "executionCompleted", value: { output } })],
    ["an event of a newer release", encode({ case: undefined })],
    ["nothing", new Uint8Array()],
  ])("passes over %s", (_name, bytes) => {
    expect(peekEnd(bytes)).toBeUndefined();
  });

  it("comes to an end on any bytes", () => {
    assert(
      property(uint8Array({ maxLength: 200 }), (bytes) => {
        const found = peekEnd(bytes);
        expect(found === undefined || found.namespace !== "").toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
