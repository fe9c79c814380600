import type { Migration } from "@heddle/store";

/** What waits for events of other executions, and the events that have come lately. */
export const eventMigrations: readonly Migration[] = [
  {
    name: "0103_event_waits",
    async up(knex) {
      await knex.raw(`
        create table event_waits (
          namespace text not null,
          event text not null,
          -- Null: events of all keys.
          key text,
          execution_id uuid not null,
          node_id text not null,
          -- How often the node had begun afresh, in a loop.
          run integer not null,
          primary key (execution_id, node_id, run)
        )`);
      await knex.raw("create index event_waits_by_event on event_waits (namespace, event)");
      await knex.raw(`
        create table recent_events (
          event_id text primary key,
          namespace text not null,
          name text not null,
          key text not null,
          execution_id text not null,
          workflow_id text not null,
          occurred_at timestamptz not null,
          -- JSON text.
          payload text not null
        )`);
      await knex.raw("create index recent_events_by_name on recent_events (namespace, name, occurred_at, event_id)");
      await knex.raw("create index recent_events_by_time on recent_events (occurred_at)");
    },
    async down(knex) {
      await knex.schema.dropTable("recent_events");
      await knex.schema.dropTable("event_waits");
    },
  },
];

/** Waits and events of one name have thousands of keys: who looks for one must not read them all. */
export const eventKeyMigration: Migration = {
  name: "0110_event_keys",
  async up(knex) {
    await knex.raw(
      "create index event_waits_by_key on event_waits (namespace, event, key, execution_id, node_id, run)",
    );
    await knex.raw("drop index event_waits_by_event");
    await knex.raw("create index recent_events_by_key on recent_events (namespace, name, key, occurred_at, event_id)");
  },
  async down(knex) {
    await knex.raw("drop index recent_events_by_key");
    await knex.raw("create index event_waits_by_event on event_waits (namespace, event)");
    await knex.raw("drop index event_waits_by_key");
  },
};
