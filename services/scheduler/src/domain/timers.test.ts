import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TimerNode } from "./model.ts";
import { createTimerWheel } from "./timers.ts";

interface Node extends TimerNode {
  name: number;
}

function node(name: number): Node {
  return { name, dueMs: Infinity, timerPrevious: undefined, timerNext: undefined };
}

const START = 1_000_003;
const RESOLUTION = 20;

describe("the timer wheel", () => {
  it("is never early and at most one resolution late, over rounds and standstills, as a plain list would be", () => {
    const action = fc.oneof(
      fc.record({
        do: fc.constant("schedule" as const),
        name: fc.nat(5),
        inMs: fc.constantFrom(0, 1, 19, 20, 21, 300, 5_000, Infinity),
      }),
      fc.record({ do: fc.constant("cancel" as const), name: fc.nat(5) }),
      fc.record({ do: fc.constant("advance" as const), byMs: fc.constantFrom(0, 1, 20, 50, 400, 20_000) }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        let nowMs = START;
        const wheel = createTimerWheel<Node>({ nowMs, resolutionMs: RESOLUTION, slots: 8 });
        const nodes = Array.from({ length: 6 }, (_, name) => node(name));
        const due = new Map<number, number>();
        for (const each of actions) {
          if (each.do === "schedule") {
            wheel.schedule(nodes[each.name] as Node, nowMs + each.inMs);
            if (each.inMs === Infinity) due.delete(each.name);
            else due.set(each.name, nowMs + each.inMs);
          } else if (each.do === "cancel") {
            wheel.cancel(nodes[each.name] as Node);
            due.delete(each.name);
          } else {
            nowMs += each.byMs;
            wheel.advance(nowMs, ({ name }) => {
              expect(due.get(name), `${name} is due and not early`).toBeLessThanOrEqual(nowMs);
              due.delete(name);
            });
            for (const [name, at] of due) expect(at, `${name} is not late`).toBeGreaterThan(nowMs - RESOLUTION);
          }
          expect(wheel.size).toBe(due.size);
        }
      }),
    );
  });

  it("lets what becomes due cancel and schedule others", () => {
    const wheel = createTimerWheel<Node>({ nowMs: 0, resolutionMs: 10 });
    const [first, second, third] = [node(1), node(2), node(3)];
    const fired: number[] = [];
    for (const each of [first, second, third]) wheel.schedule(each, 10);
    const onDue = ({ name }: Node) => {
      fired.push(name);
      if (name === 1) {
        wheel.cancel(second);
        wheel.schedule(first, 30);
      }
    };
    wheel.advance(10, onDue);
    expect(fired).toEqual([1, 3]);
    wheel.advance(30, onDue);
    expect(fired).toEqual([1, 3, 1]);
  });
});
