import { describe, expect, it } from "vitest";
import { createFencingTokens } from "./fencing-tokens.ts";

describe("fencing tokens", () => {
  it("start above every token of the epoch before, and grow", () => {
    const before = createFencingTokens(6n);
    const tokens = createFencingTokens(7n);
    expect(tokens.next()).toBe((7n << 32n) + 1n);
    expect(tokens.next()).toBe((7n << 32n) + 2n);
    expect(tokens.latest).toBe((7n << 32n) + 2n);
    expect(before.next()).toBeLessThanOrEqual(tokens.inherited);
  });

  it("go on with a higher epoch, and with no other", () => {
    const tokens = createFencingTokens(1n);
    const first = tokens.next();
    expect(() => tokens.advance(1n)).toThrow("epoch 1 is not above");
    tokens.advance(5n);
    expect(tokens.next()).toBe((5n << 32n) + 1n);
    expect(tokens.latest).toBeGreaterThan(first);
    expect(tokens.inherited).toBe(1n << 32n);
  });
});
