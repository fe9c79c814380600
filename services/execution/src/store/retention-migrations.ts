import type { Migration } from "@heddle/store";

/** When executions are purged, and what is left of them. */
export const retentionMigrations: readonly Migration[] = [
  {
    name: "0107_retention",
    async up(knex) {
      // Set with the end, so that the index is written once.
      await knex.raw("alter table executions add column purge_at timestamptz");
      await knex.raw(
        "create index executions_purgeable on executions (partition, purge_at) where purge_at is not null",
      );
      await knex.raw(`
        create table purged_executions (
          execution_id uuid primary key,
          -- Of its history: events up to here were published.
          last_seq bigint not null,
          purged_at timestamptz not null default now()
        )`);
      await knex.raw("create index purged_executions_by_time on purged_executions (purged_at)");
    },
    async down(knex) {
      await knex.schema.dropTable("purged_executions");
      await knex.raw("alter table executions drop column purge_at");
    },
  },
];
