import { createPoisonTableSql, createPositionTableSql, dropPoisonTableSql, dropPositionTableSql } from "@heddle/events";
import { journalMigrations } from "@heddle/journal";
import { createActiveVersionTableSql, createPlanTableSql } from "@heddle/journal-service";
import { defineMigrations } from "@heddle/store";
import { createSubscriptionTablesSql, dropSubscriptionTablesSql } from "./subscriptions.ts";

export const stateMachineMigrations = defineMigrations([
  ...journalMigrations(),
  {
    name: "0100_create_machines",
    async up(knex) {
      await knex.raw(`
        create table machines (
          machine_id uuid primary key,
          partition smallint not null,
          namespace text not null,
          workflow_id text not null,
          version integer not null,
          key text not null,
          request_id text not null,
          status smallint not null,
          -- Active atomic states, as they are shown.
          configuration text[] not null,
          -- All active states, as they are filtered by.
          states text[] not null,
          parent_kind smallint not null,
          parent_id text not null,
          parent_name text not null,
          labels jsonb not null,
          failure_type text,
          failure_message text,
          created_at timestamptz not null,
          ended_at timestamptz,
          last_seq bigint not null,
          -- Goes on, or still has someone outside to tell: a recovery must load it.
          live boolean not null,
          -- JSON text; as bytes, because it need not be escaped on its way here.
          snapshot bytea not null
        )`);
      // Ids are ordered by time, so every list is a range of an index on them. But for machines_live, no index holds a column
      // that changes while a machine runs: its row would otherwise be written to every index at each flush.
      await knex.raw("create index machines_by_namespace on machines (namespace, machine_id)");
      await knex.raw("create index machines_by_workflow on machines (namespace, workflow_id, machine_id)");
      await knex.raw("create unique index machines_by_key on machines (namespace, workflow_id, key) where key <> ''");
      await knex.raw(
        "create unique index machines_by_request on machines (namespace, request_id) where request_id <> '' and key = ''",
      );
      await knex.raw("create index machines_by_label on machines using gin (labels) where labels <> '{}'");
      await knex.raw("create index machines_live on machines (partition) where live");
      await knex.raw(createSubscriptionTablesSql);
      await knex.raw(createPlanTableSql);
      await knex.raw(createActiveVersionTableSql);
      await knex.raw(createPositionTableSql);
      await knex.raw(createPoisonTableSql);
    },
    async down(knex) {
      await knex.raw(dropPoisonTableSql);
      await knex.raw(dropPositionTableSql);
      await knex.schema.dropTable("active_versions");
      await knex.schema.dropTable("plans");
      await knex.raw(dropSubscriptionTablesSql);
      await knex.schema.dropTable("machines");
    },
  },
]);
