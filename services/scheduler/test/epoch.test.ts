import { createTestDatabase, type TestDatabase } from "@heddle/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createSchedulerService, schedulerMigrations } from "../src/index.ts";
import { bumpEpoch } from "../src/store/epoch.ts";
import { logger } from "./harness.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase({ schema: "scheduler", migrations: schedulerMigrations });
});
afterAll(() => test.drop());

it("is higher at every start, also of many at once", async () => {
  const first = await bumpEpoch(test.database);
  const epochs = await Promise.all(Array.from({ length: 20 }, () => bumpEpoch(test.open())));
  expect(new Set(epochs).size).toBe(20);
  for (const epoch of epochs) expect(epoch).toBeGreaterThan(first);
});

it("grows with each start of a service", async () => {
  const before = await bumpEpoch(test.database);
  const service = createSchedulerService({ logger, database: test.database });
  await service.start();
  await service.stop();
  expect(await bumpEpoch(test.database)).toBe(before + 2n);
});

it("is needed: a service with neither a database nor an epoch does not start", async () => {
  await expect(createSchedulerService({ logger }).start()).rejects.toThrow("needs `database`, or `epoch`");
});
