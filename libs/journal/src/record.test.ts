import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { idToBytes, newId } from "./id.ts";
import { decodeBatch, decodeChunk, encodeBatch, encodeChunk, type StoredRecord } from "./record.ts";

const digests = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("hex"));
const records = fc
  .record({
    seq: fc.integer({ min: 1, max: 2 ** 49 }),
    bytes: fc.uint8Array({ maxLength: 300 }),
    payloadDigests: fc.array(digests, { maxLength: 3 }),
  })
  .map((fields): StoredRecord => {
    const id = newId(fields.seq % 64, 1);
    return { id, idBytes: idToBytes(id), ...fields };
  });
const sections = fc.uniqueArray(fc.integer({ min: 0, max: 63 }), { maxLength: 8 }).chain((partitions) =>
  fc.tuple(
    ...partitions.map((partition) =>
      fc.record({
        partition: fc.constant(partition),
        previousOffset: fc.integer({ min: 0, max: 2 ** 49 }),
        records: fc.array(records, { minLength: 1, maxLength: 5 }),
      }),
    ),
  ),
);

const plain = (from: readonly StoredRecord[]) =>
  from.map(({ id, seq, bytes, payloadDigests }) => ({
    id,
    seq,
    bytes: Buffer.from(bytes).toString("hex"),
    payloadDigests,
  }));

test("a batch comes back as it went in, and unwanted partitions stay unread", () => {
  fc.assert(
    fc.property(sections, (batch) => {
      const bytes = encodeBatch(batch);
      const decoded = decodeBatch(bytes, () => true);
      expect(decoded.map((section) => ({ ...section, records: plain(section.records) }))).toEqual(
        batch.map((section) => ({ ...section, records: plain(section.records) })),
      );
      const even = decodeBatch(bytes, (partition) => partition % 2 === 0);
      expect(even.map((section) => section.partition)).toEqual(
        batch.map((section) => section.partition).filter((partition) => partition % 2 === 0),
      );
    }),
  );
});

test("a history chunk comes back as it went in", () => {
  fc.assert(
    fc.property(fc.array(records, { maxLength: 10 }), (chunk) => {
      expect(plain(decodeChunk(encodeChunk(chunk)))).toEqual(plain(chunk));
    }),
  );
});

test("another protobuf implementation reads the same", () => {
  fc.assert(
    fc.property(records, (record) => {
      const chunk = new BinaryReader(encodeChunk([record]));
      expect(chunk.tag()).toEqual([3, WireType.LengthDelimited]);
      const reader = new BinaryReader(chunk.bytes());
      expect(reader.tag()).toEqual([1, WireType.LengthDelimited]);
      expect(Buffer.from(reader.bytes())).toEqual(Buffer.from(record.idBytes));
      expect(reader.tag()).toEqual([2, WireType.Varint]);
      expect(Number(reader.uint64())).toBe(record.seq);
      expect(reader.tag()).toEqual([3, WireType.LengthDelimited]);
      expect(Buffer.from(reader.bytes())).toEqual(Buffer.from(record.bytes));
      for (const digest of record.payloadDigests) {
        expect(reader.tag()).toEqual([4, WireType.LengthDelimited]);
        expect(Buffer.from(reader.bytes()).toString("hex")).toBe(digest);
      }
      expect(reader.pos).toBe(reader.len);
    }),
  );
});

test("fields of a later version are passed over", () => {
  const known = encodeBatch([{ partition: 3, previousOffset: 0, records: [] }]);
  const unknown = Buffer.concat([Buffer.from([0x78, 0x05]), known, Buffer.from([0x7a, 0x01, 0xff])]);
  expect(decodeBatch(unknown, () => true)).toEqual([{ partition: 3, previousOffset: 0, records: [] }]);
});

test("damaged bytes are an error, never an endless loop or a wrong record", () => {
  const good = encodeBatch([
    {
      partition: 3,
      previousOffset: 7,
      records: [{ id: "", idBytes: new Uint8Array(16), seq: 1, bytes: new Uint8Array(20), payloadDigests: [] }],
    },
  ]);
  for (let length = 1; length < good.length; length++) {
    expect(() => decodeBatch(good.subarray(0, length), () => true)).toThrow(RangeError);
  }
});
