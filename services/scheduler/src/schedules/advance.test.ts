import { array, assert, constantFrom, integer, oneof, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { advance } from "./advance.ts";
import { takeCalls } from "./calls.ts";
import { defaultScheduleLimits as limits } from "./limits.ts";
import { initialState, type Overlap, type Schedule, type ScheduleSpec, type ScheduleState } from "./model.ts";
import { executionEnded, setPaused, startRefused, startTaken } from "./outcomes.ts";

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const at = (text: string): number => Date.parse(text);
const START = at("2026-01-05T00:00:00Z");

function schedule(spec: Partial<ScheduleSpec> = {}): Schedule {
  const timing = { recurrence: { kind: "interval", intervalMs: MINUTE, offsetMs: 0 } } as const;
  return {
    namespace: "n",
    scheduleId: "s",
    spec: {
      workflowId: "w",
      input: {},
      timing,
      overlap: "skip",
      catchUpWindowMs: 0,
      maxStarts: 0,
      paused: false,
      ...spec,
    },
  };
}

/** A schedule with a clock and an execution service that take what they are told. */
function simulate(spec: Partial<ScheduleSpec> = {}, startMs = START) {
  const subject = schedule(spec);
  let state: ScheduleState = initialState(subject.spec, startMs);
  let wakeAtMs: number | undefined;
  const started: number[] = [];
  return {
    started,
    state: () => state,
    wake: () => wakeAtMs,
    /** Time goes on to `nowMs` at once; execution takes everything. */
    turn(nowMs: number, { away = false } = {}): string[] {
      ({ state, wakeAtMs } = advance(subject, state, nowMs, limits));
      const { starts, cancels } = takeCalls(state, nowMs, limits);
      if (away) return [];
      for (const { dueMs } of starts) {
        startTaken(subject, state, dueMs, `e${dueMs}`);
        started.push(dueMs);
      }
      return [
        ...starts.map(({ dueMs }) => `start ${new Date(dueMs).toISOString().slice(0, 19)}`),
        ...cancels.map(({ dueMs }) => `cancel ${new Date(dueMs).toISOString().slice(0, 19)}`),
      ];
    },
    end(dueMs: number, nowMs: number) {
      executionEnded(subject, state, `e${dueMs}`, nowMs);
    },
    refuse: (dueMs: number, nowMs: number) => startRefused(subject, state, dueMs, "no such workflow", nowMs),
    pause: (paused: boolean, nowMs: number) => setPaused(state, paused, nowMs),
  };
}

describe("times", () => {
  it("are dealt with once each, and never early", () => {
    const run = simulate({ overlap: "allow" });
    expect(run.turn(START)).toEqual(["start 2026-01-05T00:00:00"]);
    expect(run.turn(START)).toEqual([]);
    expect(run.turn(START + MINUTE - 1)).toEqual([]);
    expect(run.wake()).toBe(START + MINUTE);
    expect(run.turn(START + MINUTE)).toEqual(["start 2026-01-05T00:01:00"]);
  });

  it("are dealt with once when the clock goes back", () => {
    const run = simulate({ overlap: "allow" });
    run.turn(START + 5_000);
    run.turn(START + MINUTE);
    expect(run.turn(START + 1)).toEqual([]);
    expect(run.turn(START + MINUTE)).toEqual([]);
    expect(run.turn(START + 2 * MINUTE)).toEqual(["start 2026-01-05T00:02:00"]);
  });

  it("go on soon when the clock was far ahead and is set right", () => {
    const run = simulate({ overlap: "allow" });
    run.turn(START + 400 * DAY);
    run.turn(START + HOUR);
    expect(run.wake()).toBe(START + HOUR + MINUTE);
    expect(run.turn(START + HOUR + MINUTE)).toEqual(["start 2026-01-05T01:01:00"]);
  });

  it("come late by their jitter, the same however often they are asked for", () => {
    const timing = { recurrence: { kind: "interval", intervalMs: HOUR, offsetMs: 0 }, jitterMs: 10 * MINUTE } as const;
    const run = simulate({ timing, overlap: "allow" }, START + 1);
    expect(run.turn(START + HOUR)).toEqual([]);
    const wake = run.wake() ?? 0;
    expect(wake).toBeGreaterThan(START + HOUR);
    expect(wake).toBeLessThan(START + HOUR + 10 * MINUTE);
    expect(run.turn(wake - 1)).toEqual([]);
    expect(run.turn(wake)).toEqual(["start 2026-01-05T01:00:00"]);
  });

  it("follow the clocks of the zone", () => {
    const timing = { recurrence: { kind: "cron", cron: "30 2 * * *", timeZone: "Europe/Berlin" } } as const;
    const run = simulate({ timing, overlap: "allow" }, at("2026-03-28T00:00:00Z"));
    for (let now = at("2026-03-28T00:00:00Z"); now < at("2026-03-31T00:00:00Z"); now += 10 * MINUTE) run.turn(now);
    expect(run.started.map((time) => new Date(time).toISOString())).toEqual([
      "2026-03-28T01:30:00.000Z",
      "2026-03-29T01:00:00.000Z",
      "2026-03-30T00:30:00.000Z",
    ]);
  });

  it("end with the limit, and then nothing wakes it any more", () => {
    const run = simulate({ maxStarts: 2, overlap: "allow" });
    for (let index = 0; index < 5; index += 1) run.turn(START + index * MINUTE);
    expect(run.started).toHaveLength(2);
    expect(run.wake()).toBeUndefined();
  });

  it("of a single time come once, and nothing wakes it any more", () => {
    const run = simulate({ timing: { recurrence: { kind: "at", atMs: START + 5 } } });
    run.turn(START);
    expect(run.wake()).toBe(START + 5);
    expect(run.turn(START + 6)).toHaveLength(1);
    run.end(START + 5, START + 7);
    run.turn(START + 8);
    expect(run.wake()).toBeUndefined();
  });
});

describe("a pause", () => {
  it("leaves out what comes in it, and what waits", () => {
    const run = simulate({ overlap: "buffer_one", catchUpWindowMs: DAY });
    run.turn(START);
    run.turn(START + MINUTE);
    expect(run.state().bufferedDueMs).toBe(START + MINUTE);
    run.pause(true, START + MINUTE + 1);
    run.turn(START + MINUTE + 1);
    expect([run.wake() !== undefined, run.state().bufferedDueMs]).toEqual([true, undefined]);
    run.end(START, START + 2 * MINUTE);
    run.turn(START + HOUR);
    expect(run.wake()).toBeUndefined();
    run.pause(false, START + HOUR + 1);
    expect(run.turn(START + HOUR + 1)).toEqual([]);
    expect(run.turn(START + HOUR + MINUTE)).toEqual(["start 2026-01-05T01:01:00"]);
  });
});

describe("overlap", () => {
  const outcomes: Record<Overlap, string[]> = {
    skip: ["start 2026-01-05T00:00:00", "end", "start 2026-01-05T00:04:00"],
    buffer_one: ["start 2026-01-05T00:00:00", "end", "start 2026-01-05T00:01:00"],
    allow: [
      "start 2026-01-05T00:00:00",
      "start 2026-01-05T00:01:00",
      "start 2026-01-05T00:02:00",
      "start 2026-01-05T00:03:00",
      "end",
      "start 2026-01-05T00:04:00",
    ],
    cancel_other: ["start 2026-01-05T00:00:00", "cancel 2026-01-05T00:00:00", "end", "start 2026-01-05T00:03:00"],
  };

  it.each(Object.entries(outcomes))("%s, when the first takes three and a half minutes", (overlap, expected) => {
    const run = simulate({ overlap: overlap as Overlap });
    const log: string[] = [];
    for (let index = 0; index < 4; index += 1) log.push(...run.turn(START + index * MINUTE));
    log.push("end");
    run.end(START, START + 3.5 * MINUTE);
    log.push(...run.turn(START + 3.5 * MINUTE));
    if (overlap !== "buffer_one" && overlap !== "cancel_other") log.push(...run.turn(START + 4 * MINUTE));
    // A cancel is repeated until it is answered.
    expect([...new Set(log)]).toEqual(expected);
  });

  it("counts a start that is not answered yet as running", () => {
    const run = simulate({ overlap: "skip", catchUpWindowMs: HOUR });
    run.turn(START, { away: true });
    expect(run.turn(START + MINUTE)).toEqual(["start 2026-01-05T00:00:00"]);
    expect(run.state()).toMatchObject({ started: 1, skipped: 1 });
  });

  it("cancels a start that may have happened as soon as it is known, and drops one that was never sent", () => {
    const run = simulate({ overlap: "cancel_other", catchUpWindowMs: HOUR });
    run.turn(START, { away: true });
    run.turn(START + MINUTE, { away: true });
    run.turn(START + 2 * MINUTE, { away: true });
    expect(run.state()).toMatchObject({ pending: [{ dueMs: START, cancel: true }], bufferedDueMs: START + 2 * MINUTE });
    expect(run.turn(START + 2.5 * MINUTE)).toEqual(["start 2026-01-05T00:00:00"]);
    expect(run.turn(START + 2.6 * MINUTE)).toEqual(["cancel 2026-01-05T00:00:00"]);
    run.end(START, START + 2.7 * MINUTE);
    expect(run.turn(START + 2.7 * MINUTE)).toEqual(["start 2026-01-05T00:02:00"]);
  });

  it("goes on after a start that was refused", () => {
    const run = simulate({ overlap: "buffer_one" });
    run.turn(START, { away: true });
    run.turn(START + 5_000, { away: true });
    run.refuse(START, START + 5_000);
    expect(run.state()).toMatchObject({ failed: 1, lastProblem: expect.stringContaining("no such workflow") });
    expect(run.turn(START + MINUTE)).toEqual(["start 2026-01-05T00:01:00"]);
  });
});

describe("an outage of days", () => {
  const outage = (spec: Partial<ScheduleSpec>, lengthMs = 3 * DAY) => {
    const run = simulate(spec);
    run.turn(START);
    run.end(START, START + 1);
    return { run, log: run.turn(START + lengthMs) };
  };

  it("is forgotten without a catch-up window", () => {
    const { run, log } = outage({ overlap: "allow" });
    expect(log).toEqual(["start 2026-01-08T00:00:00"]);
    expect(run.state().skipped).toBe(limits.catchUpMaxStarts);
  });

  it("is caught up within the window only", () => {
    const { log } = outage({ overlap: "allow", catchUpWindowMs: 3 * MINUTE }, 3 * DAY + 5_000);
    expect(log).toEqual(["start 2026-01-07T23:58:00", "start 2026-01-07T23:59:00", "start 2026-01-08T00:00:00"]);
  });

  it("is caught up with the latest starts when there are too many of them, at a bounded price", () => {
    const { run, log } = outage({ overlap: "allow", catchUpWindowMs: 30 * DAY });
    expect(log).toHaveLength(limits.catchUpMaxStarts);
    expect(log.at(-1)).toBe("start 2026-01-08T00:00:00");
    expect(run.state().lastProblem ?? "").toBe("");
  });

  it.each<[Overlap, string[]]>([
    ["skip", ["start 2026-01-07T23:59:00"]],
    ["buffer_one", ["start 2026-01-07T23:59:00"]],
    ["cancel_other", ["start 2026-01-08T00:00:00"]],
  ])("leaves one start to %s", (overlap, expected) => {
    expect(outage({ overlap, catchUpWindowMs: 90_000 }).log).toEqual(expected);
  });

  it("gives up no start whose call is under way", () => {
    const run = simulate({ overlap: "skip" });
    run.turn(START, { away: true });
    run.turn(START + limits.callTimeoutMs, { away: true });
    expect(run.state()).toMatchObject({ skipped: 0, pending: [{ dueMs: START }] });
    run.turn(START + 30_000, { away: true });
    expect(run.state()).toMatchObject({ skipped: 1, pending: [] });
  });

  it("of execution alone is the same: what waits too long is left out", () => {
    const run = simulate({ overlap: "skip", catchUpWindowMs: 5 * MINUTE });
    run.turn(START, { away: true });
    expect(run.turn(START + 4 * MINUTE)).toEqual(["start 2026-01-05T00:00:00"]);
    const late = simulate({ overlap: "skip", catchUpWindowMs: 5 * MINUTE });
    late.turn(START, { away: true });
    expect(late.turn(START + 6 * MINUTE)).toEqual(["start 2026-01-05T00:01:00"]);
    expect(late.state().skipped).toBe(6);
  });
});

describe("whatever happens", () => {
  const step = oneof(
    record({ kind: constantFrom("wait" as const), ms: integer({ min: 0, max: 20 * MINUTE }) }),
    record({ kind: constantFrom("back" as const), ms: integer({ min: 0, max: 10 * MINUTE }) }),
    record({
      kind: constantFrom("end" as const, "away" as const, "pause" as const, "resume" as const),
      ms: integer({ min: 0, max: 5 }),
    }),
    record({ kind: constantFrom("outage" as const), ms: integer({ min: HOUR, max: 2 * DAY }) }),
  );
  const spec = record({
    overlap: constantFrom<Overlap>("skip", "buffer_one", "allow", "cancel_other"),
    catchUpWindowMs: constantFrom(0, MINUTE, DAY),
    maxStarts: constantFrom(0, 3),
    intervalMs: constantFrom(1_000, 7_000, MINUTE, HOUR),
    jitterMs: constantFrom(0, 500, 10 * MINUTE),
  });

  it("no time is started twice, early, or beside another one, and something wakes it while it goes on", () => {
    assert(
      property(spec, array(step, { maxLength: 60 }), ({ intervalMs, jitterMs, ...rest }, steps) => {
        const timing = { recurrence: { kind: "interval", intervalMs, offsetMs: 0 }, jitterMs } as const;
        const run = simulate({ ...rest, timing });
        let now = START;
        // What was decided while the clock was ahead stays decided.
        let latest = now;
        for (const { kind, ms } of steps) {
          if (kind === "wait" || kind === "outage") now += ms;
          if (kind === "back") now -= ms;
          if (kind === "pause" || kind === "resume") run.pause(kind === "pause", now);
          latest = Math.max(latest, now);
          const oldest = run.state().running[0];
          if (kind === "end" && oldest !== undefined) run.end(oldest.dueMs, now);
          const known = run.started.length;
          run.turn(now, { away: kind === "away" });
          const state = run.state();
          for (const time of run.started.slice(known)) expect(time).toBeLessThanOrEqual(latest);
          const occupied = state.running.length + state.pending.length;
          if (rest.overlap !== "allow") expect(occupied).toBeLessThanOrEqual(1);
          expect(state.pending.length).toBeLessThanOrEqual(limits.catchUpMaxStarts);
          if (rest.maxStarts > 0) expect(state.started).toBeLessThanOrEqual(rest.maxStarts);
          if (state.bufferedDueMs !== undefined) expect(occupied).toBe(1);
          const goesOn =
            !state.paused && (rest.maxStarts === 0 || state.started + state.pending.length < rest.maxStarts);
          if (goesOn && state.bufferedDueMs === undefined) expect(run.wake()).toBeDefined();
        }
        expect(new Set(run.started).size).toBe(run.started.length);
        expect(run.started).toEqual(run.started.toSorted((a, b) => a - b));
      }),
      { numRuns: 300 },
    );
  });
});
