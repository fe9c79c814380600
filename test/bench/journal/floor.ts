import { randomBytes } from "node:crypto";
import type { Connection } from "@heddle/store";

/**
 * The floor: a bare loop of multi-row INSERTs of the same bytes, one named statement and one commit per batch, into a
 * table without any index.
 */
export async function runFloor(
  connection: Connection,
  batches: number,
  batchEvents: number,
  event: Uint8Array,
): Promise<void> {
  const ids = Array.from({ length: batchEvents }, () => randomBytes(16));
  const events = ids.map(() => event);
  for (let batch = 0; batch < batches; batch++) {
    await connection.query({
      name: "floor",
      text: "insert into floor (id, seq, event) select * from unnest($1::bytea[], $2::bigint[], $3::bytea[])",
      values: [ids, ids.map(() => batch), events],
    });
  }
}
