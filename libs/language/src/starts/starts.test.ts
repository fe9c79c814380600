import { expect, test } from "vitest";
import { compileDefinition } from "../index.ts";
import type { DagPlan } from "../index.ts";

function planOf(text: string, nodes = "[{ id: a, type: tool, tool: t }]"): DagPlan {
  const { plan, findings } = compileDefinition(`workflow:\n  id: w\n  type: dag\n${text}\n  nodes: ${nodes}\n`);
  expect(findings).toEqual([]);
  return plan as DagPlan;
}

test("schedules with everything", () => {
  const { schedules } = planOf(`  schedules:
    - { id: a, description: d, cron: "0 2 * * *", time_zone: Europe/Berlin, jitter: 5m, start_at: 2030-01-01T00:00:00Z,
        end_at: 2031-01-01T00:00:00+01:00, max_starts: 9, overlap: cancel_other, catch_up_window: 12h,
        input: { day: "\${schedule.due_at}" }, paused: true }
    - { id: b, interval: 1h30m, offset: 10m }
    - { id: c, at: 2030-01-31T08:00:00+01:00 }
    - { id: d, cron: "*/10 * * * * *" }`);
  expect(schedules).toEqual([
    {
      id: "a",
      timing: {
        recurrence: { kind: "cron", cron: "0 2 * * *", timeZone: "Europe/Berlin" },
        jitterMs: 300_000,
        startAtMs: Date.parse("2030-01-01T00:00:00Z"),
        endAtMs: Date.parse("2030-12-31T23:00:00Z"),
      },
      maxStarts: 9,
      overlap: "cancel_other",
      catchUpWindowMs: 43_200_000,
      input: { day: "${schedule.due_at}" },
      paused: true,
    },
    { id: "b", timing: { recurrence: { kind: "interval", intervalMs: 5_400_000, offsetMs: 600_000 } } },
    { id: "c", timing: { recurrence: { kind: "at", atMs: Date.parse("2030-01-31T07:00:00Z") } } },
    { id: "d", timing: { recurrence: { kind: "cron", cron: "*/10 * * * * *", timeZone: "UTC" } } },
  ]);
});

test("triggers with everything", () => {
  const { triggers } = planOf(`  triggers:
    - { id: a, on: { workflow: v, status: [failed, canceled, failed] }, filter: "\${event.version > 1}", input: { x: "\${event.failure.type}" } }
    - { id: b, on: { workflow: v } }`);
  expect(triggers).toEqual([
    {
      id: "a",
      source: { kind: "execution_end", workflowId: "v", statuses: ["failed", "canceled"] },
      filter: "event.version > 1",
      input: { x: "${event.failure.type}" },
    },
    { id: "b", source: { kind: "execution_end", workflowId: "v", statuses: ["completed"] } },
  ]);
});

test("trigger nodes stand for schedules and triggers, and pass the input on", () => {
  const plan = planOf(
    "",
    `
    - { id: by-hand, type: trigger, subtype: manual }
    - { id: nightly, type: trigger, subtype: cron, params: { cron: "0 2 * * *" } }
    - { id: after, type: trigger, subtype: event, params: { on: { workflow: v } } }
    - { id: a, type: tool, tool: t, dependencies: [by-hand, nightly, after], inputs: { x: "\${current.x}" } }`,
  );
  expect(plan.schedules?.map(({ id }) => id)).toEqual(["nightly"]);
  expect(plan.triggers?.map(({ id }) => id)).toEqual(["after"]);
  expect(plan.nodes[0]).toMatchObject({ id: "by-hand", kind: "action", action: "transform", value: "${input}" });
  expect(plan.nodes[3]).toMatchObject({ id: "a", dependencies: [0, 1, 2] });
});
