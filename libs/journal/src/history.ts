import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Queryable } from "@heddle/store";
import { idToBytes } from "./id.ts";
import { byteaArray, int2Array, int8Array } from "./pg-array.ts";
import { decodeChunk, encodeChunk, type StoredRecord } from "./record.ts";
import type { JournalRecord, ProjectionChange } from "./types.ts";

const PLAIN = 0;
const DEFLATE = 1;
/**
 * Chunks are a few kilobytes of similar events. Setting up a compressor of the usual size costs more than compressing them:
 * these settings take less than half the time of zstd at its default level, for the same size.
 */
const DEFLATE_OPTIONS = { level: 1, memLevel: 4, windowBits: 13, chunkSize: 4096 };
/** Setting up a compressor takes some 30 µs for any chunk of up to 2 KB: more than it takes to write the bytes that it saves below this. */
const COMPRESS_MIN_BYTES = 1024;
/** Chunks read by one statement of a page. */
const READ_MAX_CHUNKS = 100;

/** Appends one chunk per changed aggregate. To be called inside `Projection.write`, in its transaction. */
export async function writeHistory(
  transaction: Queryable,
  changes: readonly Pick<ProjectionChange<unknown>, "id" | "events">[],
): Promise<void> {
  if (changes.length === 0) return;
  const ids: Uint8Array[] = [];
  const firsts: number[] = [];
  const lasts: number[] = [];
  const encodings: number[] = [];
  const chunks: Uint8Array[] = [];
  for (const { id, events } of changes) {
    const plain = encodeChunk(events.map(toStored));
    const compress = plain.length >= COMPRESS_MIN_BYTES;
    ids.push(idToBytes(id));
    firsts.push((events[0] as JournalRecord).seq);
    lasts.push((events[events.length - 1] as JournalRecord).seq);
    encodings.push(compress ? DEFLATE : PLAIN);
    chunks.push(compress ? deflateRawSync(plain, DEFLATE_OPTIONS) : plain);
  }
  await transaction.query({
    name: "journal_write_history",
    text: `insert into history (id, first_seq, last_seq, encoding, events)
      select encode(i, 'hex')::uuid, f, l, e, b
      from unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::smallint[], $5::bytea[]) as r (i, f, l, e, b)
      -- Written before, by a commit whose answer was lost: it comes again, perhaps with what followed it.
      on conflict (id, first_seq) do update
        set last_seq = excluded.last_seq, encoding = excluded.encoding, events = excluded.events`,
    values: [byteaArray(ids), int8Array(firsts), int8Array(lasts), int2Array(encodings), byteaArray(chunks)],
  });
}

/** What was projected of one aggregate after a seq, in order, up to `limit` events. */
export async function readHistoryTable(
  database: Queryable,
  id: string,
  afterSeq: number,
  limit: number,
): Promise<JournalRecord[]> {
  const records: JournalRecord[] = [];
  let last = afterSeq;
  for (;;) {
    const { rows } = await database.query<{ last_seq: number; encoding: number; events: Buffer }>({
      name: "journal_read_history",
      text: `select last_seq, encoding, events from history
        where id = $1 and last_seq > $2
          and first_seq >= coalesce((select max(first_seq) from history where id = $1 and first_seq <= $2 + 1), 0)
        order by first_seq limit ${READ_MAX_CHUNKS}`,
      values: [id, last],
    });
    for (const row of rows) {
      const plain = row.encoding === DEFLATE ? inflateRawSync(row.events) : row.events;
      for (const record of decodeChunk(plain)) {
        if (record.seq <= last) continue;
        if (records.length === limit) return records;
        records.push(record);
        last = record.seq;
      }
    }
    if (rows.length < READ_MAX_CHUNKS) return records;
  }
}

/** What was projected of several aggregates after a seq of each, in order, by id. Everything at once: for tails that are bounded. */
export async function readHistoryTails(
  database: Queryable,
  tails: readonly { id: string; afterSeq: number }[],
): Promise<Map<string, JournalRecord[]>> {
  const records = new Map<string, JournalRecord[]>(tails.map(({ id }) => [id, []]));
  if (tails.length === 0) return records;
  const { rows } = await database.query<{ id: string; after: string; encoding: number; events: Buffer }>({
    name: "journal_read_history_tails",
    text: `select r.id, r.after, h.encoding, h.events
      from unnest($1::uuid[], $2::bigint[]) as r (id, after) join lateral (
        select first_seq, encoding, events from history where history.id = r.id and last_seq > r.after
          and first_seq >= coalesce((select max(first_seq) from history where history.id = r.id and first_seq <= r.after + 1), 0)
      ) as h on true
      order by r.id, h.first_seq`,
    values: [tails.map(({ id }) => id), tails.map(({ afterSeq }) => afterSeq)],
  });
  for (const row of rows) {
    const tail = records.get(row.id) as JournalRecord[];
    const plain = row.encoding === DEFLATE ? inflateRawSync(row.events) : row.events;
    for (const record of decodeChunk(plain)) {
      if (record.seq > (tail.at(-1)?.seq ?? Number(row.after))) tail.push(record);
    }
  }
  return records;
}

function toStored(record: JournalRecord): StoredRecord {
  return "idBytes" in record ? (record as StoredRecord) : { ...record, idBytes: idToBytes(record.id) };
}
