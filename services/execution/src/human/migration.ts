import type { Migration } from "@heddle/store";

/** What people are asked, for lists: one row a task. Everything in it follows from the state of its execution. */
export const humanTaskMigration: Migration = {
  name: "0104_create_human_tasks",
  async up(knex) {
    await knex.raw(`
      create table human_tasks (
        task_id text primary key,
        execution_id uuid not null references executions (execution_id) on delete cascade,
        namespace text not null,
        workflow_id text not null,
        version integer not null,
        node_id text not null,
        -- How often its node had begun afresh.
        restarts integer not null,
        status smallint not null,
        title text not null,
        assignee text,
        groups jsonb not null,
        priority smallint not null,
        escalations integer not null,
        created_at timestamptz not null,
        due_at timestamptz,
        ended_at timestamptz,
        -- JSON text of all that the engine keeps of it.
        detail bytea not null
      )`);
    // Those that wait are few and looked for all the time, those that are over are many.
    await knex.raw(
      "create index human_tasks_waiting on human_tasks (namespace, priority, created_at, task_id) where ended_at is null",
    );
    await knex.raw("create index human_tasks_assigned on human_tasks (namespace, assignee) where ended_at is null");
    await knex.raw("create index human_tasks_grouped on human_tasks using gin (groups) where ended_at is null");
    await knex.raw("create index human_tasks_listed on human_tasks (namespace, priority, created_at, task_id)");
    await knex.raw("create index human_tasks_by_execution on human_tasks (execution_id)");
  },
  async down(knex) {
    await knex.schema.dropTable("human_tasks");
  },
};
