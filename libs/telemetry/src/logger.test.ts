import { describe, expect, it } from "vitest";
import { createLogger } from "./logger.ts";
import { childTrace, currentTrace, formatTraceparent, newTrace, parseTraceparent, runWithTrace } from "./trace.ts";

describe("createLogger", () => {
  it("writes one JSON line with name, level, time, and the trace of the request", async () => {
    const lines: string[] = [];
    const logger = createLogger({ name: "execution", destination: { write: (line) => lines.push(line) } });
    logger.debug("not at this level");
    logger.info({ executionId: "e1" }, "started");
    const trace = newTrace();
    await runWithTrace(trace, async () => {
      await Promise.resolve();
      logger.error({ err: new Error("boom", { cause: new Error("why") }) }, "failed");
    });
    const [started, failed] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(2);
    expect(started).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      name: "execution",
      executionId: "e1",
      msg: "started",
    });
    expect(failed).toMatchObject({ level: "error", traceId: trace.traceId, msg: "failed" });
    expect(JSON.stringify(failed)).toContain("why");
  });
});

describe("trace", () => {
  const header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  it("reads and writes W3C traceparent", () => {
    const trace = parseTraceparent(header);
    expect(trace).toEqual({ traceId: header.slice(3, 35), spanId: header.slice(36, 52), sampled: true });
    expect(formatTraceparent(trace ?? newTrace())).toBe(header);
  });

  it.each([
    undefined,
    null,
    "",
    "junk",
    header.toUpperCase(),
    header.replace("00-", "ff-"),
    header.replace("0af7651916cd43dd8448eb211c80319c", "0".repeat(32)),
    header.replace("b7ad6b7169203331", "0".repeat(16)),
    `${header}-more`,
  ])("takes %j for no trace", (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });

  it("keeps the trace and changes the span for a child", () => {
    const parent = newTrace();
    const child = childTrace(parent);
    expect(child.traceId).toBe(parent.traceId);
    expect(child.spanId).not.toBe(parent.spanId);
  });

  it("is current only inside of its run", async () => {
    const trace = newTrace();
    await runWithTrace(trace, async () => {
      await new Promise(setImmediate);
      expect(currentTrace()).toBe(trace);
    });
    expect(currentTrace()).toBeUndefined();
  });
});
