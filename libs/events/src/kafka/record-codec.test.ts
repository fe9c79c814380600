import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeRecord } from "./record-decoder.ts";
import { encodeRecord, type RecordToEncode } from "./record-encoder.ts";
import { groupByPartition } from "./group-by-partition.ts";

/*
 * What replaces parts of kafkajs gives what they give. Loaded here without `kafkajs.ts`, they are the original ones.
 */
const require = createRequire(import.meta.url);
const originalEncode = require("kafkajs/src/protocol/recordBatch/record/v0") as (record: RecordToEncode) => {
  buffer: Buffer;
};
const originalDecode = require("kafkajs/src/protocol/recordBatch/record/v0/decoder") as typeof decodeRecord;
const Decoder = require("kafkajs/src/protocol/decoder") as new (
  buffer: Buffer,
) => { buffer: Buffer; offset: number; readVarIntBytes(): Buffer };
const originalGroup = require("kafkajs/src/producer/groupMessagesPerPartition") as typeof groupByPartition;

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const given = fc.oneof(fc.string({ unit: "grapheme", maxLength: 100 }), bytes);
const name = fc.string({ unit: "grapheme", maxLength: 80 }).filter((text) => text !== "__proto__");
const record = fc.record({
  offsetDelta: fc.nat(100_000),
  timestampDelta: fc.oneof(fc.nat(100), fc.integer({ min: -(2 ** 50), max: 2 ** 50 })),
  key: fc.option(given),
  value: fc.option(given),
  headers: fc.dictionary(name, fc.oneof(given, fc.array(given, { minLength: 1, maxLength: 3 })), { maxKeys: 12 }),
});
const context = fc.record({
  firstOffset: fc.nat().map(String),
  firstTimestamp: fc.nat(2 ** 41).map(String),
  maxTimestamp: fc.nat(2 ** 41).map(String),
  magicByte: fc.constant(2),
  isControlBatch: fc.boolean(),
  timestampType: fc.constantFrom(0, 1),
});

function decode(with_: typeof decodeRecord, encoded: Buffer, batch: Parameters<typeof decodeRecord>[1]) {
  return with_(new Decoder(new Decoder(encoded).readVarIntBytes()), batch);
}

describe("records in place of those of kafkajs", () => {
  it("are the same bytes", () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), (records) => {
        // Twice: headers that come again take another path.
        for (const one of [...records, ...records])
          expect(Buffer.from(encodeRecord(one).buffer)).toEqual(originalEncode(one).buffer);
      }),
    );
  });

  it("are read as the same", () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), context, (records, batch) => {
        for (const one of [...records, ...records]) {
          const encoded = originalEncode(one).buffer;
          expect(decode(decodeRecord, encoded, batch)).toEqual(decode(originalDecode, encoded, batch));
        }
      }),
    );
  });

  it("do not spoil each other, however many share memory", () => {
    const large = Buffer.alloc(100_000, 7);
    const encoded = Array.from({ length: 20 }, (_, index) =>
      encodeRecord({
        key: `key-${index}`,
        value: index % 3 === 0 ? large : Buffer.from(`value-${index}`),
        headers: {},
      }),
    );
    for (const [index, { buffer }] of encoded.entries()) {
      const original = originalEncode({
        key: `key-${index}`,
        value: index % 3 === 0 ? large : Buffer.from(`value-${index}`),
      });
      expect(buffer.equals(original.buffer)).toBe(true);
    }
  });

  it("refuse to read beyond their end", () => {
    const batch = { firstOffset: "0", firstTimestamp: "0", magicByte: 2, timestampType: 0 };
    expect(() => decodeRecord({ buffer: Buffer.from([0, 0, 0]), offset: 0 }, batch)).toThrow("ends too early");
  });

  it("are grouped as the same", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ key: fc.string(), value: fc.string() })),
        fc.integer({ min: 0, max: 5 }),
        (messages, count) => {
          const args = {
            topic: "t",
            messages,
            partitionMetadata: Array.from({ length: count }, (_, partitionId) => ({ partitionId }) as never),
            partitioner: ({ message }: { message: { key?: unknown } }) => String(message.key).length % count,
          };
          expect(groupByPartition(args)).toEqual(originalGroup(args));
        },
      ),
    );
  });
});
