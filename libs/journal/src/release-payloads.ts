import type { Transaction } from "@heddle/store";

/**
 * Deletes the payloads that only these aggregates use. To be called in the transaction that deletes the aggregates, which
 * must have ended: an append that names one of the payloads again either is seen here, or finds the payload gone and
 * stores it anew.
 */
export async function releasePayloads(transaction: Transaction, ids: readonly string[]): Promise<void> {
  const { rows } = await transaction.query<{ digest: Buffer }>({
    name: "journal_list_used_payloads",
    text: "select distinct digest from payload_users where id = any($1::uuid[])",
    values: [ids],
  });
  if (rows.length === 0) return;
  // Every append holds its owner's row while it is under way: this waits for those, and lets none begin until the end.
  await transaction.query({ text: "select from journal_owners order by owner for update", values: [] });
  await transaction.query({ text: "delete from payload_users where id = any($1::uuid[])", values: [ids] });
  await transaction.query({
    text: `delete from payloads p where p.digest = any($1::bytea[]) and p.counted
      and not exists (select from payload_users u where u.digest = p.digest)`,
    values: [rows.map(({ digest }) => digest)],
  });
}
