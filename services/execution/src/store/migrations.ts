import { createPoisonTableSql, createPositionTableSql, dropPoisonTableSql, dropPositionTableSql } from "@heddle/events";
import { journalMigrations } from "@heddle/journal";
import { createActiveVersionTableSql, createPlanTableSql } from "@heddle/journal-service";
import { humanTaskMigration } from "../human/migration.ts";
import { incidentMigration } from "../incidents/migration.ts";
import { defineMigrations } from "@heddle/store";
import { eventKeyMigration, eventMigrations } from "./event-migrations.ts";
import { batchMigrations } from "./batch-migrations.ts";
import { findMigrations } from "./find-migrations.ts";
import { retentionMigrations } from "./retention-migrations.ts";

export const executionMigrations = defineMigrations([
  ...journalMigrations(),
  {
    name: "0100_create_executions",
    async up(knex) {
      await knex.raw(`
        create table executions (
          execution_id uuid primary key,
          partition smallint not null,
          namespace text not null,
          workflow_id text not null,
          version integer not null,
          status smallint not null,
          request_id text not null,
          parent_execution_id uuid,
          parent_node_id text,
          priority smallint not null,
          labels jsonb not null,
          failure_type text,
          failure_message text,
          failure_node_id text,
          started_at timestamptz not null,
          ended_at timestamptz,
          last_seq bigint not null,
          -- JSON text; as bytes, because it need not be escaped on its way here.
          snapshot bytea not null
        )`);
      // Ids are ordered by time, so every list is a range of an index on them. No index holds a column that changes while
      // an execution runs: its row would otherwise be written to every index at each flush.
      await knex.raw("create index executions_by_namespace on executions (namespace, execution_id)");
      await knex.raw("create index executions_by_workflow on executions (namespace, workflow_id, execution_id)");
      await knex.raw(
        "create unique index executions_by_request on executions (namespace, request_id) where request_id <> ''",
      );
      await knex.raw(
        "create index executions_by_parent on executions (parent_execution_id) where parent_execution_id is not null",
      );
      await knex.raw("create index executions_by_label on executions using gin (labels) where labels <> '{}'");
      await knex.raw("create index executions_live on executions (partition) where ended_at is null");
      // Completed ones are most of all and found by time; the few that failed or were canceled deserve an index.
      await knex.raw(
        "create index executions_unsuccessful on executions (namespace, status, execution_id) where status in (4, 5)",
      );
      await knex.raw(createPlanTableSql);
    },
    async down(knex) {
      await knex.schema.dropTable("plans");
      await knex.schema.dropTable("executions");
    },
  },
  {
    name: "0101_follow_definitions",
    async up(knex) {
      await knex.raw(createActiveVersionTableSql);
      await knex.raw(createPositionTableSql);
      await knex.raw(createPoisonTableSql);
    },
    async down(knex) {
      await knex.raw(dropPoisonTableSql);
      await knex.raw(dropPositionTableSql);
      await knex.schema.dropTable("active_versions");
    },
  },
  ...eventMigrations,
  humanTaskMigration,
  ...findMigrations,
  ...retentionMigrations,
  ...batchMigrations,
  eventKeyMigration,
  incidentMigration,
]);
