import type { Migration } from "@heddle/store";

/** Incidents that are open, for lists: one row each. Everything in it follows from the state of its execution; what is over is in the history. */
export const incidentMigration: Migration = {
  name: "0111_create_incidents",
  async up(knex) {
    await knex.raw(`
      create table incidents (
        execution_id uuid not null references executions (execution_id) on delete cascade,
        node_id text not null,
        partition smallint not null,
        namespace text not null,
        workflow_id text not null,
        version integer not null,
        kind text not null,
        -- [[id of the loop, number of its turn]], the outermost first.
        turns jsonb not null,
        parent_execution_id uuid,
        parent_node_id text,
        failure_type text not null,
        failure_message text not null,
        failure_node_id text,
        business boolean not null,
        attempts integer not null,
        opened_at timestamptz not null,
        primary key (execution_id, node_id)
      )`);
    // A row never changes but by becoming another incident, and open ones are few: indexes cost little.
    await knex.raw("create index incidents_by_age on incidents (namespace, opened_at, execution_id, node_id)");
    await knex.raw(
      "create index incidents_by_workflow on incidents (namespace, workflow_id, opened_at, execution_id, node_id)",
    );
    await knex.raw(
      "create index incidents_by_failure on incidents (namespace, failure_type, opened_at, execution_id, node_id)",
    );
    await knex.raw(
      "create index incidents_by_parent on incidents (parent_execution_id) where parent_execution_id is not null",
    );
    await knex.raw("create index incidents_by_partition on incidents (partition)");
  },
  async down(knex) {
    await knex.schema.dropTable("incidents");
  },
};
