import { SHARDS } from "@heddle/shards";
import type { Migration } from "@heddle/store";

/**
 * Who owns which shard of namespaces. The epochs go on above the one that all namespaces had in common: tokens that were
 * given out before must stay below every new one.
 */
export const createShards: Migration = {
  name: "0002_create_shards",
  async up(knex) {
    await knex.schema.createTable("scheduler_owners", (table) => {
      table.text("owner").primary();
      table.uuid("incarnation").notNullable();
      table.text("address").notNullable();
      table.timestamp("expires_at").notNullable();
    });
    await knex.schema.createTable("scheduler_shards", (table) => {
      table.specificType("shard", "smallint").primary();
      table.text("owner");
      table.bigInteger("epoch").notNullable();
    });
    await knex.raw(
      `insert into scheduler_shards (shard, epoch)
       select shard, coalesce((select max(epoch) from scheduler_epoch), 0) from generate_series(0, ?) as shard`,
      [SHARDS - 1],
    );
    await knex.schema.dropTable("scheduler_epoch");
  },
  async down(knex) {
    await knex.schema.createTable("scheduler_epoch", (table) => {
      table.boolean("only_row").primary().checkIn(["true"]);
      table.bigInteger("epoch").notNullable();
      table.timestamp("bumped_at").notNullable().defaultTo(knex.fn.now());
    });
    await knex.raw("insert into scheduler_epoch (only_row, epoch) select true, max(epoch) from scheduler_shards");
    await knex.schema.dropTable("scheduler_shards");
    await knex.schema.dropTable("scheduler_owners");
  },
};
