import { setTimeout as sleep } from "node:timers/promises";
import { DefinitionEventSchema } from "@heddle/proto/heddle/definition/v1/definition_event_pb.js";
import { openDatabase } from "@heddle/store";
import type { PoisonAtEnd, SetAside } from "./run-record.ts";
import { readTopic } from "./topic.ts";

/** The topic that groups of the suite consume message by message; of executions they decode only ends that matter. */
export const DEFINITION_EVENTS = DefinitionEventSchema.typeName;

/** Groups that consume it in the suite under test. */
const DEFINITION_GROUPS = [
  "heddle.execution.definitions",
  "heddle.scheduler.definitions",
  "heddle.statemachine.definitions",
] as const;

const POLL_MS = 500;

/**
 * What faults have put there that nobody can read, and what consumers have set aside until it is as much, or the bound is
 * over. Then does what `heddle doctor` tells an operator to do with such a message: deletes its row. Rows of anything else stay.
 */
export async function takePoison(
  databaseUrl: string,
  brokers: readonly string[],
  boundMs: number,
): Promise<PoisonAtEnd> {
  const records = await readTopic(brokers, DEFINITION_EVENTS);
  const planted = records.filter(({ headers }) => headers["ce_id"] === undefined).map(({ key }) => String(key));
  const database = openDatabase({ url: databaseUrl, schema: "public", maxConnections: 1, applicationName: "chaos" });
  try {
    const { rows: tables } = await database.query<{ name: string }>({
      text: "select format('%I.%I', table_schema, table_name) as name from information_schema.tables where table_name = 'event_poison'",
    });
    const readAll = async (): Promise<SetAside[]> => {
      const found = tables.map(({ name }) =>
        database.query<SetAside>({
          text: `select consumer_group as "group", topic, message_key as key, error from ${name} order by parked_at`,
        }),
      );
      return (await Promise.all(found)).flatMap(({ rows }) => rows);
    };
    const deadline = performance.now() + boundMs;
    let setAside = await readAll();
    while (setAside.length < planted.length * DEFINITION_GROUPS.length && performance.now() < deadline) {
      await sleep(POLL_MS);
      setAside = await readAll();
    }
    for (const { name } of tables) {
      await database.query({ text: `delete from ${name} where message_key = any($1)`, values: [planted] });
    }
    return { planted, groups: DEFINITION_GROUPS, setAside };
  } finally {
    await database.close();
  }
}
