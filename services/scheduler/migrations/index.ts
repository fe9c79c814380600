import { defineMigrations } from "@heddle/store";
import { createEpoch } from "./0001-create-epoch.ts";
import { createShards } from "./0002-create-shards.ts";
import { createSchedules } from "./0003-create-schedules.ts";

/** Everything that the scheduler's schema went through, in order. */
export const schedulerMigrations = defineMigrations([createEpoch, createShards, createSchedules]);
