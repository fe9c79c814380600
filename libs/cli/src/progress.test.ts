import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { sampleEvents, sampleExecution, startedAtMs, supportRun } from "../test/sample.ts";
import { createVirtualTerminal } from "../test/virtual-terminal.ts";
import { paintIntervalMs } from "./limits.ts";
import { createProgress } from "./progress.ts";
import { noColors } from "./render/style.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const execution = sampleExecution(["classify", "route", "answer", "refund"]);
const config = { unicode: true, live: true };

it("writes to a terminal at its own pace, however many events come", () => {
  const terminal = createVirtualTerminal();
  const now = () => startedAtMs + 500;
  const progress = createProgress({ stream: terminal, style: noColors, execution, config, now });
  expect(progress.afterSeq).toBe(1n);
  const before = terminal.writes();
  for (const event of sampleEvents(supportRun, 2)) progress.show([event]);
  expect(terminal.writes()).toBe(before);
  vi.advanceTimersByTime(paintIntervalMs);
  expect(terminal.writes()).toBe(before + 1);
  expect(terminal.lines().join("\n")).toContain("✓ classify");
  progress.end();
  expect(vi.getTimerCount()).toBe(0);
  expect(terminal.listeners()).toBe(0);
  expect(terminal.cursorHidden()).toBe(false);
});

it("shows the last state, also of what happened since the last painting", () => {
  const terminal = createVirtualTerminal();
  const progress = createProgress({ stream: terminal, style: noColors, execution, config, now: () => startedAtMs });
  progress.show(sampleEvents([...supportRun, { case: "executionCompleted", value: {} }], 2));
  progress.end();
  expect(terminal.lines()[0]).toContain("support v3  completed  900ms");
});

it("paints anew when the terminal changes its size", () => {
  const terminal = createVirtualTerminal(80, 24);
  const progress = createProgress({ stream: terminal, style: noColors, execution, config, now: () => startedAtMs });
  terminal.resize(30, 24);
  progress.end();
  for (const line of terminal.lines()) expect(line.length).toBeLessThan(30);
});

it.each([
  ["no terminal", { isTTY: false }, config],
  ["a terminal that cannot move the cursor", { isTTY: true }, { unicode: true, live: false }],
])("writes a line per event to %s", (_, stream, plainConfig) => {
  let text = "";
  const output = { ...stream, write: (chunk: string) => void (text += chunk) };
  const progress = createProgress({ stream: output, style: noColors, execution, config: plainConfig });
  expect(progress.afterSeq).toBe(0n);
  progress.show(sampleEvents(supportRun, 2));
  progress.end();
  expect(text).toMatchInlineSnapshot(`
    "    0.100s  task scheduled        classify              attempt 1  {"ticket":7}
        0.200s  task failed           classify              attempt 1  80ms  on w-1  http_error: 503 from the model  next in 1.0s
        0.300s  task scheduled        classify              attempt 2
        0.400s  task completed        classify              attempt 2  90ms  on w-2  {"kind":"refund"}
        0.500s  node completed        route                 chose refund  "refund"
        0.600s  node skipped          answer                not chosen
        0.700s  logged                route                 info: refund of ticket 7
        0.800s  wait started          refund                for signal approved 59.2s
    "
  `);
});
