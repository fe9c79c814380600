import type { Transaction } from "@heddle/store";

/**
 * Deletes the payloads that only these aggregates use. To be called last in the transaction that deletes the aggregates, because
 * no process appends from here to its end. They must have ended: an append that names one of the payloads again either is seen
 * here, or finds the payload gone and stores it anew.
 */
export async function releasePayloads(transaction: Transaction, ids: readonly string[]): Promise<void> {
  const { rows } = await transaction.query<{ digest: Buffer }>({
    name: "journal_list_used_payloads",
    text: "select distinct digest from payload_users where id = any($1::uuid[])",
    values: [ids],
  });
  if (rows.length === 0) return;
  // Every append holds its owner's row while it is under way: this waits for those, and lets none begin until the end.
  // A process that is stopped in the middle must not keep them waiting.
  await transaction.query({
    text: `with bounded as materialized (select set_config('idle_in_transaction_session_timeout', '1000', true))
      select from bounded, journal_owners o order by o.owner for update of o`,
    values: [],
  });
  await transaction.query({ text: "delete from payload_users where id = any($1::uuid[])", values: [ids] });
  await transaction.query({
    text: `delete from payloads p where p.digest = any($1::bytea[]) and p.counted
      and not exists (select from payload_users u where u.digest = p.digest)`,
    values: [rows.map(({ digest }) => digest)],
  });
}
