import { describe, expect, it } from "vitest";
import { sampleEvents, sampleExecution, startedAtMs, supportRun } from "../../test/sample.ts";
import { applyEvent, createExecutionView, type ExecutionView } from "./execution-view.ts";
import { renderTree, type TreeOptions } from "./execution-tree.ts";
import { createSigns } from "./signs.ts";
import { colors, noColors } from "./style.ts";

const options: TreeOptions = {
  style: noColors,
  signs: createSigns(noColors, { unicode: true, turning: false }),
  columns: 100,
  maxLines: 100,
  nowMs: startedAtMs + 2_000,
  frame: 0,
};

const NODES = ["classify", "route", "answer", "refund", "done"];
const OUTLINE = NODES.map((id) => ({ id, depth: id === "answer" || id === "refund" ? 1 : 0 }));

function viewAfter(count: number): ExecutionView {
  const view = createExecutionView(sampleExecution(NODES), OUTLINE);
  for (const event of sampleEvents(supportRun, 2).slice(0, count)) applyEvent(view, event);
  return view;
}

describe("the tree of an execution", () => {
  it("shows each state of a node with what one asks about it", () => {
    expect(renderTree(viewAfter(8), options)).toMatchInlineSnapshot(`
      [
        "support v3  running  2.0s  01990f5e-0000-7000-8000-000000000001",
        "  ✓ classify   300ms  attempt 2  on w-2",
        "  ✓ route",
        "  ↷   answer  skipped: not chosen",
        "  ◷   refund    1.2s  waits for signal approved, at most 58.0s",
        "  ○ done",
        "  info: refund of ticket 7",
      ]
    `);
  });

  it("shows why an attempt failed and when the next one is due", () => {
    expect(renderTree(viewAfter(2), options).slice(1, 3)).toEqual([
      "  ↻ classify    1.9s  next attempt in 0ms  on w-1",
      "      http_error: 503 from the model",
    ]);
  });

  it("has signs for terminals without Unicode, and turns only where it is painted again", () => {
    const plain = createSigns(noColors, { unicode: false, turning: false });
    expect(renderTree(viewAfter(1), { ...options, signs: plain })[1]).toBe("  * classify    1.9s");
    const turning = createSigns(noColors, { unicode: true, turning: true });
    const frames = [0, 1].map((frame) => renderTree(viewAfter(1), { ...options, signs: turning, frame })[1]);
    expect(new Set(frames).size).toBe(2);
  });

  it("never has a line that is wider than asked for", () => {
    for (const columns of [20, 33, 60]) {
      const style = colors;
      const signs = createSigns(style, { unicode: true, turning: false });
      const lines = renderTree(viewAfter(8), { ...options, style, signs, columns });
      // oxlint-disable-next-line no-control-regex -- colours take no cells
      for (const line of lines) expect(line.replaceAll(/\u001b\[\d+m/g, "").length).toBeLessThanOrEqual(columns);
    }
  });

  it("shows what is under way when not everything fits, and counts the rest", () => {
    const ids = Array.from({ length: 200 }, (_, index) => `n${index}`);
    const view = createExecutionView(sampleExecution(ids));
    const done = ids.slice(0, 90).flatMap((nodeId) => [
      { case: "taskScheduled" as const, value: { nodeId, attempt: 1 } },
      { case: "taskCompleted" as const, value: { nodeId, attempt: 1 } },
    ]);
    const running = [{ case: "taskScheduled" as const, value: { nodeId: "n150", attempt: 1 } }];
    for (const event of sampleEvents([...done, ...running], 2)) applyEvent(view, event);
    const lines = renderTree(view, { ...options, maxLines: 10 });
    expect(lines).toHaveLength(10);
    expect(lines.some((line) => line.includes("n150"))).toBe(true);
    expect(lines.at(-2)).toContain("n150");
    expect(lines.at(-1)).toMatch(/^ {2}… and \d+ completed, \d+ pending$/);
  });

  it("shows text of strangers without its control characters", () => {
    const view = createExecutionView(sampleExecution(["a"]));
    const failure = { type: "x", message: "bad\u001b[2J\r\nnews" };
    const [event] = sampleEvents([{ case: "nodeFailed", value: { nodeId: "a", failure } }], 2);
    if (event !== undefined) applyEvent(view, event);
    expect(renderTree(view, options)[2]).toBe("      x: bad [2J news");
  });

  it("shows why an execution failed that no node is to blame for", () => {
    const view = createExecutionView(sampleExecution(["a"]));
    const failure = { type: "timeout", message: "the execution took longer than 1m" };
    for (const event of sampleEvents([{ case: "executionFailed", value: { failure } }], 2)) applyEvent(view, event);
    expect(renderTree(view, options)).toEqual([
      "support v3  failed  100ms  01990f5e-0000-7000-8000-000000000001",
      "  ○ a",
      "  timeout: the execution took longer than 1m",
    ]);
  });
});

describe("the view of an execution", () => {
  it("counts the items of a map", () => {
    const view = createExecutionView(sampleExecution([]));
    const nodeId = "all";
    const items = { form: { case: "json" as const, value: '{"from":1,"count":9}' } };
    const run = sampleEvents(
      [
        { case: "mapStarted", value: { nodeId, items } },
        { case: "itemStarted", value: { nodeId, index: 0 } },
        { case: "itemStarted", value: { nodeId, index: 1 } },
        { case: "itemStarted", value: { nodeId, index: 2 } },
        { case: "itemEnded", value: { nodeId, index: 1, outcome: "succeeded" } },
        { case: "itemEnded", value: { nodeId, index: 0, outcome: "failed" } },
      ],
      2,
    );
    for (const event of run) applyEvent(view, event);
    expect(view.nodes.get("all")?.map).toEqual({ count: 9, running: 1, succeeded: 1, failed: 1 });
    expect(renderTree(view, options).join("\n")).toContain("2 of 9 items, 1 running, 1 failed");
  });

  it("takes each event once, whatever comes again", () => {
    const view = createExecutionView(sampleExecution(NODES), OUTLINE);
    const events = sampleEvents(supportRun, 2);
    for (const event of [...events, ...events]) applyEvent(view, event);
    expect(view.logs).toHaveLength(1);
    expect(view.lastSeq).toBe(9n);
  });

  it("shows a node that the server did not list", () => {
    const view = createExecutionView(sampleExecution([]));
    for (const event of sampleEvents([{ case: "nodeCompleted", value: { nodeId: "new" } }], 2)) applyEvent(view, event);
    expect([...view.nodes.keys()]).toEqual(["new"]);
  });

  it("says what the workflow has made of its failure", () => {
    const failure = { type: "timeout", message: "too slow", nodeId: "done" };
    const failed = { case: "nodeFailed", value: { nodeId: "done", failure } } as const;
    const linesAfter = (...events: Parameters<typeof sampleEvents>[0]) => {
      const view = createExecutionView(sampleExecution(["done"]));
      for (const event of sampleEvents(events, 2)) applyEvent(view, event);
      return renderTree(view, options).slice(3);
    };
    expect(linesAfter(failed, { case: "executionErrorHandled", value: { failure, action: "continue" } })).toEqual([
      "  was to fail with timeout: too slow",
    ]);
    expect(linesAfter(failed, { case: "executionFailed", value: { failure } })).toEqual([]);
    const changed = { ...failure, message: "order 7 is late" };
    expect(linesAfter(failed, { case: "executionFailed", value: { failure: changed } })).toEqual([
      "  timeout: order 7 is late",
    ]);
  });
});
