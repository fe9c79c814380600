import type { Migration } from "@heddle/store";

/** Operations on many executions. */
export const batchMigrations: readonly Migration[] = [
  {
    name: "0108_batches",
    async up(knex) {
      await knex.raw(`
        create table batches (
          batch_id uuid primary key,
          -- Its owner works on it.
          partition smallint not null,
          namespace text not null,
          request_id text not null,
          -- Filter, operation and pace: a Batch in the JSON form of protobuf.
          spec jsonb not null,
          status smallint not null,
          reason text not null default '',
          -- Targets are claimed in the order of their ids, up to the last id of the moment at which it was created.
          claimed_to uuid not null,
          claim_end uuid not null,
          canary_passed boolean not null,
          matched bigint not null,
          succeeded bigint not null default 0,
          failed bigint not null default 0,
          skipped bigint not null default 0,
          created_at timestamptz not null default now(),
          ended_at timestamptz
        )`);
      await knex.raw("create index batches_by_namespace on batches (namespace, batch_id)");
      await knex.raw(
        "create unique index batches_by_request on batches (namespace, request_id) where request_id <> ''",
      );
      await knex.raw("create index batches_running on batches (partition) where status = 2");
      await knex.raw(`
        create table batch_targets (
          batch_id uuid not null references batches on delete cascade,
          execution_id uuid not null,
          -- Null while it is under way. Those for which it succeeded are gone.
          failure_reason text,
          failure_message text,
          primary key (batch_id, execution_id)
        )`);
    },
    async down(knex) {
      await knex.schema.dropTable("batch_targets");
      await knex.schema.dropTable("batches");
    },
  },
];
