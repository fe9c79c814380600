import type { Migration } from "@heddle/store";

/** The one row that fencing tokens grow from. It must survive every restart: a lower epoch would revive old tokens. */
export const createEpoch: Migration = {
  name: "0001_create_epoch",
  async up(knex) {
    await knex.schema.createTable("scheduler_epoch", (table) => {
      table.boolean("only_row").primary().checkIn(["true"]);
      table.bigInteger("epoch").notNullable();
      table.timestamp("bumped_at").notNullable().defaultTo(knex.fn.now());
    });
  },
  async down(knex) {
    await knex.schema.dropTable("scheduler_epoch");
  },
};
