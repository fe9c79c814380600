import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { DefinitionEventSchema } from "@heddle/proto/heddle/definition/v1/definition_event_pb.js";
import type { Transaction } from "@heddle/store";

// Any constant will do; it must only be the same for every writer of this schema's outbox.
const OUTBOX_LOCK = 0x6865646465;

/**
 * Appends to the outbox inside the caller's transaction. The lock is held until that transaction ends: positions are
 * handed out in the order of commits, and a reader that goes by position can never overtake a slow writer.
 */
export async function appendEvent(
  transaction: Transaction,
  key: { namespace: string; workflowId: string; now: Date },
  event: NonNullable<MessageInitShape<typeof DefinitionEventSchema>["event"]>,
): Promise<void> {
  await transaction.query({ text: "select pg_advisory_xact_lock($1)", values: [OUTBOX_LOCK] });
  const { rows } = await transaction.query<{ last_seq: string }>({
    text: `update definitions set last_seq = last_seq + 1, updated_at = $3
      where namespace = $1 and workflow_id = $2 returning last_seq`,
    values: [key.namespace, key.workflowId, key.now],
  });
  const seq = rows[0]?.last_seq;
  if (seq === undefined) throw new Error(`no definition ${key.namespace}/${key.workflowId} to append an event to`);
  const aggregateId = `${key.namespace}/${key.workflowId}`;
  const message = create(DefinitionEventSchema, {
    eventId: `${aggregateId}/${seq}`,
    namespace: key.namespace,
    workflowId: key.workflowId,
    seq: BigInt(seq),
    occurredAt: timestampFromDate(key.now),
    event,
  });
  await transaction.query({
    text: "insert into events (aggregate_id, seq, occurred_at, event) values ($1, $2, $3, $4)",
    values: [aggregateId, seq, key.now, Buffer.from(toBinary(DefinitionEventSchema, message))],
  });
}
