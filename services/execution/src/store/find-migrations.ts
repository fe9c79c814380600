import type { Migration } from "@heddle/store";

/** By what executions are found beside their ids: business keys and search attributes. */
export const findMigrations: readonly Migration[] = [
  {
    name: "0105_workflow_keys",
    async up(knex) {
      await knex.raw("alter table executions add column workflow_key text not null default ''");
      await knex.raw(
        "create index executions_by_workflow_key on executions (namespace, workflow_key, execution_id) where workflow_key <> ''",
      );
      // With a business key the request id is unique among the starts with that key: they alone meet in one partition.
      await knex.raw("drop index executions_by_request");
      await knex.raw(
        "create unique index executions_by_request on executions (namespace, request_id, workflow_key) where request_id <> ''",
      );
    },
    async down(knex) {
      await knex.raw("drop index executions_by_request");
      await knex.raw(
        "create unique index executions_by_request on executions (namespace, request_id) where request_id <> ''",
      );
      await knex.raw("alter table executions drop column workflow_key");
    },
  },
  {
    name: "0106_search_attributes",
    async up(knex) {
      // In no index: it changes while the execution runs. What is searched is the table beside it.
      await knex.raw("alter table executions add column attributes jsonb not null default '{}'");
      await knex.raw(`
        create table execution_attributes (
          execution_id uuid not null,
          namespace text not null,
          name text not null,
          -- 1: text, 2: number, 3: boolean
          kind smallint not null,
          text_value text collate "C" not null,
          -- Of a number.
          number_value double precision,
          primary key (execution_id, name, kind, text_value)
        )`);
      await knex.raw(
        "create index execution_attributes_by_text on execution_attributes (namespace, name, kind, text_value, execution_id)",
      );
      await knex.raw(
        "create index execution_attributes_by_number on execution_attributes (namespace, name, number_value, execution_id) where kind = 2",
      );
    },
    async down(knex) {
      await knex.schema.dropTable("execution_attributes");
      await knex.raw("alter table executions drop column attributes");
    },
  },
];
