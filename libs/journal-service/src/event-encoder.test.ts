import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  EventReceivedSchema,
  StateMachineEventSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createEventEncoder } from "./event-encoder.ts";

const encode = createEventEncoder(StateMachineEventSchema);

it("writes events as the library does, whatever their size and time", () => {
  const time = fc.integer({ min: 0, max: 253_402_300_799_999 });
  fc.assert(
    fc.property(
      fc.uuid(),
      fc.integer({ min: 1, max: 2 ** 40 }),
      time,
      fc.nat({ max: 300_000 }),
      (id, seq, at, size) => {
        const value = create(EventReceivedSchema, { name: "é".repeat(size) });
        const whole = create(StateMachineEventSchema, {
          machineId: id,
          seq: BigInt(seq),
          occurredAt: timestampFromMs(at),
          event: { case: "eventReceived", value },
        });
        const written = encode({ id, seq, at }, "eventReceived", value);
        expect(Buffer.compare(written, toBinary(StateMachineEventSchema, whole))).toBe(0);
      },
    ),
    { numRuns: 50 },
  );
});
