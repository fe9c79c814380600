import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { StateMachineEvent } from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type MachineSuite, startMachineSuite } from "./support/suite.ts";

/** `MACHINES=100000 vitest run --project integration services/statemachine/test/many-timers.test.ts` is the full size. */
const MACHINES = Number(process.env["MACHINES"] ?? 2_000);
/** One in ten is due in the same second. */
const DUE = MACHINES / 10;
const CALLS_AT_ONCE = 128;
const DAY_MS = 86_400_000;
/** From the restart to the second in which they are due. */
const LEAD_MS = 3_000 + MACHINES / 10;

const REMINDER = `
workflow:
  id: reminder
  type: state_machine
  context: { wait: 0 }
  states:
    - name: asleep
      transitions: [{ after: "\${wait}", target: awake }]
    - { name: awake, type: final }
`;

let suite: MachineSuite;
beforeEach(async () => {
  suite = await startMachineSuite();
  suite.publish(REMINDER);
});
afterEach(() => suite.stop());

it(`fires the timers of ${DUE} of ${MACHINES} machines that are due in one second once, none early, over a restart and a crash`, async () => {
  const began = Date.now();
  const dueAt = began + DAY_MS;
  const isDue = (n: number): boolean => n % 10 === 0;
  await inParallel(MACHINES, async (n) => {
    const wait = (isDue(n) ? dueAt : dueAt + DAY_MS) - Date.now();
    await suite.client.createMachine({ workflowId: "reminder", key: `${n}`, context: { wait } });
  });
  const createdMs = Date.now() - began;
  suite.skip(dueAt - Date.now() - LEAD_MS);
  const beforeRestart = performance.now();
  await suite.restart();
  const recoveredMs = performance.now() - beforeRestart;
  expect(await countAwake()).toBe(0);
  await expect.poll(countAwake, { timeout: LEAD_MS + 60_000, interval: 10 }).toBeGreaterThan(0);
  await suite.crash();
  const firstFired = performance.now();
  await expect.poll(countAwake, { timeout: 120_000, interval: 100 }).toBe(DUE);
  const lastFired = performance.now();

  const lateness: number[] = [];
  await inParallel(MACHINES, async (n) => {
    if (!isDue(n)) return;
    const { machine } = await suite.client.getMachine({ workflowId: "reminder", key: `${n}` });
    const { events } = await suite.client.listMachineHistory({ machineId: machine!.machineId });
    const fired = events.filter(({ event }) => event.case === "eventReceived");
    expect(fired).toHaveLength(1);
    lateness.push(timestampMs(fired[0]!.occurredAt!) - dueTime(events));
  });
  expect(lateness).toHaveLength(DUE);
  expect(Math.min(...lateness)).toBeGreaterThanOrEqual(0);
  const { rss, heapUsed } = process.memoryUsage();
  console.log(
    `${MACHINES} machines: created in ${createdMs} ms, stopped and recovered in ${recoveredMs.toFixed(0)} ms; ` +
      `${DUE} due: seen awake ${(lastFired - firstFired).toFixed(0)} ms after a crash among them, ` +
      `latest ${Math.max(...lateness)} ms late; heap ${toMiB(heapUsed)} MiB, resident ${toMiB(rss)} MiB`,
  );
}, 600_000);

function dueTime(events: readonly StateMachineEvent[]): number {
  for (const { event } of events) {
    if (event.case !== "transitionTaken") continue;
    const timer = event.value.effects.find(({ effect }) => effect.case === "timerSet");
    if (timer?.effect.case === "timerSet") return Number(timer.effect.value.dueAtMs);
  }
  throw new Error("no timer was set");
}

async function countAwake(): Promise<number> {
  const { rows } = await suite.testDatabase.database.query<{ count: number }>({
    text: "select count(*)::int as count from machines where ended_at is not null",
  });
  return rows[0]?.count ?? 0;
}

async function inParallel(count: number, run: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, lane));
}

function toMiB(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
