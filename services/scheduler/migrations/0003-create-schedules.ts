import { createPoisonTableSql, createPositionTableSql, dropPoisonTableSql, dropPositionTableSql } from "@heddle/events";
import type { Migration } from "@heddle/store";

/**
 * Schedules and triggers, what is to be started because of them, and how far their events were read. What each row means
 * in detail is JSON: only what queries ask for has a column.
 */
export const createSchedules: Migration = {
  name: "0003_create_schedules",
  async up(knex) {
    await knex.schema.createTable("schedules", (table) => {
      table.text("namespace").notNullable();
      table.text("schedule_id").notNullable();
      // The workflow whose definition declares it; empty for one that a call created.
      table.text("declared_by").notNullable();
      table.text("workflow_id").notNullable();
      table.text("request_id").notNullable();
      table.jsonb("spec").notNullable();
      table.jsonb("state").notNullable();
      table.timestamp("wake_at");
      table.specificType("running_ids", "text[]").notNullable();
      table.timestamp("created_at").notNullable();
      table.primary(["namespace", "schedule_id"]);
      table.index(["namespace", "declared_by"]);
    });
    await knex.raw("create index on schedules (wake_at) where wake_at is not null");
    await knex.raw("create index on schedules using gin (running_ids)");
    await knex.schema.createTable("triggers", (table) => {
      table.text("namespace").notNullable();
      table.text("workflow_id").notNullable();
      table.text("trigger_id").notNullable();
      table.text("source_workflow_id").notNullable();
      table.jsonb("spec").notNullable();
      table.timestamp("declared_at").notNullable();
      table.primary(["namespace", "workflow_id", "trigger_id"]);
    });
    await knex.schema.createTable("trigger_firings", (table) => {
      table.text("namespace").notNullable();
      table.text("workflow_id").notNullable();
      table.text("trigger_id").notNullable();
      table.text("event_id").notNullable();
      table.text("execution_id").notNullable();
      table.integer("attempts").notNullable();
      table.timestamp("wake_at");
      table.text("parked_reason");
      table.timestamp("occurred_at").notNullable();
      table.primary(["namespace", "workflow_id", "trigger_id", "event_id"]);
      table
        .foreign(["namespace", "workflow_id", "trigger_id"])
        .references(["namespace", "workflow_id", "trigger_id"])
        .inTable("triggers")
        .onDelete("cascade");
    });
    await knex.raw("create index on trigger_firings (wake_at) where wake_at is not null");
    await knex.raw(createPositionTableSql);
    await knex.raw(createPoisonTableSql);
  },
  async down(knex) {
    for (const table of ["trigger_firings", "triggers", "schedules"]) await knex.schema.dropTable(table);
    await knex.raw(dropPoisonTableSql);
    await knex.raw(dropPositionTableSql);
  },
};
