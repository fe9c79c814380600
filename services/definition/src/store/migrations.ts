import { createPoisonTableSql, dropPoisonTableSql } from "@heddle/events";
import { defineMigrations } from "@heddle/store";

export const definitionMigrations = defineMigrations([
  {
    name: "0001_create_definitions",
    async up(knex) {
      await knex.raw(`
        create table definitions (
          namespace text not null,
          workflow_id text not null,
          type smallint not null,
          name text not null,
          description text not null,
          labels jsonb not null,
          active_version integer not null,
          latest_version integer not null,
          last_seq bigint not null,
          created_at timestamptz not null,
          updated_at timestamptz not null,
          -- A deleted definition keeps its row, so that its version numbers and event numbers go on from where they were.
          deleted_at timestamptz,
          primary key (namespace, workflow_id)
        )`);
      await knex.raw(`
        create table versions (
          namespace text not null,
          workflow_id text not null,
          version integer not null,
          digest text not null,
          source text not null,
          plan_json text not null,
          summary jsonb not null,
          deprecated boolean not null default false,
          created_at timestamptz not null,
          primary key (namespace, workflow_id, version),
          foreign key (namespace, workflow_id) references definitions
        )`);
      await knex.raw(`
        create table requests (
          namespace text not null,
          request_id text not null,
          workflow_id text not null,
          version integer not null,
          created_at timestamptz not null,
          primary key (namespace, request_id)
        )`);
      // The outbox. Writers hold one advisory lock to the end of their transaction, so positions become visible in order.
      await knex.raw(`
        create table events (
          position bigint generated always as identity primary key,
          aggregate_id text not null,
          seq bigint not null,
          occurred_at timestamptz not null,
          event bytea not null
        )`);
      await knex.raw(`create table cursors (name text primary key, position bigint not null)`);
    },
    async down(knex) {
      for (const table of ["cursors", "events", "requests", "versions", "definitions"]) {
        await knex.schema.dropTable(table);
      }
    },
  },
  {
    name: "0002_park_events",
    async up(knex) {
      await knex.raw(createPoisonTableSql);
    },
    async down(knex) {
      await knex.raw(dropPoisonTableSql);
    },
  },
]);
