// One scenario for each rule of the standard that this core has: https://www.w3.org/TR/scxml/. Sections are named.
import { describe, expect, test } from "vitest";
import { assign, type ChartSketch, log, raise, told } from "../test/support/build-chart.ts";
import { activeOf, logsOf, play } from "../test/support/play.ts";

describe("3.3, 3.6: compound states and their initial states", () => {
  test("default: the first child in document order, level by level", () => {
    expect(logsOf({ states: [told("a", { states: [told("b", { states: [told("c")] }), told("d")] })] })).toEqual([
      "+a",
      "+b",
      "+c",
    ]);
  });

  test("an initial transition may lead deep, and its content runs after the entry of its state and before that of the target", () => {
    const sketch: ChartSketch = {
      states: [
        told("a", {
          initial: "c",
          initialActions: [log("initial")],
          states: [told("b", { states: [told("b1"), told("c")] })],
        }),
      ],
    };
    expect(logsOf(sketch)).toEqual(["+a", "initial", "+b", "+c"]);
  });

  test("the machine itself may begin in several regions", () => {
    const sketch: ChartSketch = {
      initial: ["r1b", "r2b"],
      states: [
        told("p", {
          parallel: true,
          states: [
            told("r1", { states: [told("r1a"), told("r1b")] }),
            told("r2", { states: [told("r2a"), told("r2b")] }),
          ],
        }),
      ],
    };
    expect(logsOf(sketch)).toEqual(["+p", "+r1", "+r1b", "+r2", "+r2b"]);
  });
});

describe("3.4: parallel states", () => {
  const regions: ChartSketch = {
    states: [
      told("p", {
        parallel: true,
        on: [{ event: "out", to: "end" }],
        states: [
          told("r1", { states: [told("a1", { on: [{ event: "e", to: "a2", do: [log("a1→a2")] }] }), told("a2")] }),
          told("r2", { states: [told("b1", { on: [{ event: "e", to: "b2", do: [log("b1→b2")] }] }), told("b2")] }),
        ],
      }),
      told("end"),
    ],
  };

  test("all children are entered, in document order, and left in the reverse of it", () => {
    expect(logsOf(regions, "out")).toEqual([
      "+p",
      "+r1",
      "+a1",
      "+r2",
      "+b1",
      "-b1",
      "-r2",
      "-a1",
      "-r1",
      "-p",
      "+end",
    ]);
  });

  test("one event moves all regions in one microstep: first all exits, then all actions, then all entries", () => {
    const machine = play(regions, ({ send }) => send("e"));
    expect(machine.logs().slice(5)).toEqual(["-b1", "-a1", "a1→a2", "b1→b2", "+a2", "+b2"]);
    expect(machine.history.at(-1)).toMatchObject({ type: "microstep", exited: ["b1", "a1"], entered: ["a2", "b2"] });
  });

  test("a target in one region enters the others by default", () => {
    const sketch: ChartSketch = {
      initial: "outside",
      states: [...regions.states, told("outside", { on: [{ event: "in", to: "b2" }] })],
    };
    expect(activeOf(sketch, "in")).toEqual(["a1", "b2"]);
  });
});

describe("3.5: transitions", () => {
  const nested = (internal: boolean, to: string): ChartSketch => ({
    states: [
      told("s", { on: [{ event: "e", to, internal, do: [log("act")] }], states: [told("s1"), told("s2")] }),
      told("t"),
    ],
  });

  test("external to a descendant leaves and enters the source again", () => {
    expect(logsOf(nested(false, "s2"), "e").slice(2)).toEqual(["-s1", "-s", "act", "+s", "+s2"]);
  });

  test("internal to a descendant does not", () => {
    expect(logsOf(nested(true, "s2"), "e").slice(2)).toEqual(["-s1", "act", "+s2"]);
  });

  test("internal to somewhere else is as external", () => {
    expect(logsOf(nested(true, "t"), "e").slice(2)).toEqual(["-s1", "-s", "act", "+t"]);
  });

  test("internal of a parallel source is as external: only compound states have internal transitions", () => {
    const sketch: ChartSketch = {
      states: [
        told("p", { parallel: true, on: [{ event: "e", to: "a", internal: true }], states: [told("a"), told("b")] }),
      ],
    };
    expect(logsOf(sketch, "e").slice(3)).toEqual(["-b", "-a", "-p", "+p", "+a", "+b"]);
  });

  test("to itself leaves and enters", () => {
    expect(logsOf({ states: [told("a", { on: [{ event: "e", to: "a" }] })] }, "e")).toEqual(["+a", "-a", "+a"]);
  });

  test("without a target nothing is left, and the actions run", () => {
    expect(logsOf({ states: [told("a", { on: [{ event: "e", do: [log("act")] }] })] }, "e")).toEqual(["+a", "act"]);
  });

  test("several targets in different regions", () => {
    const sketch: ChartSketch = {
      states: [
        { id: "s", on: [{ event: "e", to: ["a2", "b2"] }] },
        {
          id: "p",
          parallel: true,
          states: [
            { id: "a", states: [{ id: "a1" }, { id: "a2" }] },
            { id: "b", states: [{ id: "b1" }, { id: "b2" }] },
            { id: "c", states: [{ id: "c1" }, { id: "c2" }] },
          ],
        },
      ],
    };
    expect(activeOf(sketch, "e")).toEqual(["a2", "b2", "c1"]);
  });

  test("between two regions it leaves the parallel state: the domain is a compound state", () => {
    const sketch: ChartSketch = {
      states: [
        told("p", {
          parallel: true,
          states: [
            told("a", { states: [told("a1", { on: [{ event: "e", to: "b2" }] })] }),
            told("b", { states: [told("b1"), told("b2")] }),
          ],
        }),
      ],
    };
    expect(logsOf(sketch, "e").slice(5)).toEqual(["-b1", "-b", "-a1", "-a", "-p", "+p", "+a", "+a1", "+b", "+b2"]);
  });
});

describe("3.7: final states", () => {
  test("a final child gives done.state of its parent, with its data", () => {
    const sketch: ChartSketch = {
      data: { got: null },
      states: [
        {
          id: "s",
          on: [{ event: "done.state.s", to: "t", do: [assign("got", "${event.data}")] }],
          states: [
            { id: "s1", on: [{ event: "e", to: "f" }] },
            { id: "f", final: true, done: { n: 1 } },
          ],
        },
        { id: "t" },
      ],
    };
    const machine = play(sketch, ({ send }) => send("e"));
    expect(machine.active()).toEqual(["t"]);
    expect(machine.state.context).toEqual({ got: { n: 1 } });
  });

  test("a parallel state is done when all of its regions are, regions inside of regions included", () => {
    const sketch: ChartSketch = {
      states: [
        {
          id: "p",
          parallel: true,
          on: [{ event: "done.state.p", to: "end" }],
          states: [
            {
              id: "a",
              states: [
                { id: "a1", on: [{ event: "x", to: "af" }] },
                { id: "af", final: true },
              ],
            },
            {
              id: "q",
              parallel: true,
              states: [
                {
                  id: "b",
                  states: [
                    { id: "b1", on: [{ event: "y", to: "bf" }] },
                    { id: "bf", final: true },
                  ],
                },
                {
                  id: "c",
                  states: [
                    { id: "c1", on: [{ event: "z", to: "cf" }] },
                    { id: "cf", final: true },
                  ],
                },
              ],
            },
          ],
        },
        { id: "end" },
      ],
    };
    // Appendix D raises the event of a parallel state only when a region of it has just reached its end.
    expect(activeOf(sketch, "y", "z")).toEqual(["a1", "bf", "cf"]);
    expect(activeOf(sketch, "y", "z", "x")).toEqual(["end"]);
  });

  test("a final state at the top ends the machine: all are left, and the data is its output", () => {
    const machine = play(
      { states: [told("a", { on: [{ event: "e", to: "f" }] }), told("f", { final: true, done: "bye" })] },
      ({ send }) => send("e"),
    );
    expect(machine.logs()).toEqual(["+a", "-a", "+f", "-f"]);
    expect(machine.state).toMatchObject({ status: "finished", output: "bye", timers: [], invocations: [] });
    expect(machine.active()).toEqual(["f"]);
    expect(() => machine.send("e")).toThrow(/has finished/);
  });
});

describe("3.10: history", () => {
  const device = (history: "shallow" | "deep"): ChartSketch => ({
    states: [
      told("s", {
        on: [{ event: "off", to: "o" }],
        states: [
          told("s1"),
          told("s2", { states: [told("s21", { on: [{ event: "x", to: "s22" }] }), told("s22")] }),
          { id: "h", history, initial: "s2", initialActions: [log("default")] },
        ],
      }),
      told("o", { on: [{ event: "back", to: "h" }] }),
    ],
  });

  test("before the first exit its default transition is taken, with its content", () => {
    const sketch: ChartSketch = { ...device("deep"), initial: "o" };
    expect(logsOf(sketch, "back")).toEqual(["+o", "-o", "+s", "default", "+s2", "+s21"]);
  });

  test("shallow brings back the child, which begins anew; deep the innermost states", () => {
    const scripted = (history: "shallow" | "deep") =>
      activeOf({ ...device(history), initial: "s2" }, "x", "off", "back");
    expect(scripted("shallow")).toEqual(["s21"]);
    expect(scripted("deep")).toEqual(["s22"]);
  });

  test("it is written at each exit anew", () => {
    expect(activeOf({ ...device("deep"), initial: "s2" }, "x", "off", "back", "off", "back")).toEqual(["s22"]);
  });

  test("of a parallel state it brings back all regions", () => {
    const sketch: ChartSketch = {
      states: [
        {
          id: "p",
          parallel: true,
          on: [{ event: "off", to: "o" }],
          states: [
            { id: "a", states: [{ id: "a1", on: [{ event: "x", to: "a2" }] }, { id: "a2" }] },
            { id: "b", states: [{ id: "b1", on: [{ event: "y", to: "b2" }] }, { id: "b2" }] },
            { id: "h", history: "deep", initial: ["a1", "b1"] },
          ],
        },
        { id: "o", on: [{ event: "back", to: "h" }] },
      ],
    };
    expect(activeOf(sketch, "y", "off", "back")).toEqual(["a1", "b2"]);
  });
});

describe("3.12: events and their descriptors", () => {
  const matching = (descriptor: string, event: string) =>
    play({ states: [{ id: "a", on: [{ event: descriptor, to: "b" }] }, { id: "b" }] }, ({ send }) =>
      send(event),
    ).active()[0] === "b";

  test.each([
    ["error", "error.send", false],
    ["foo", "foo", true],
    ["foo", "foo.bar.baz", true],
    ["foo", "foos", false],
    ["foo.*", "foo", true],
    ["foo.*", "foo.bar", true],
    ["foo.", "foo.bar", true],
    ["foo.bar", "foo", false],
    ["x foo", "foo.bar", true],
    ["*", "anything.at.all", true],
  ])("%s matches %s: %s", (descriptor, event, expected) => {
    if (event.startsWith("error.")) expect(() => matching(descriptor, event)).toThrow(/reserved/);
    else expect(matching(descriptor, event)).toBe(expected);
  });
});

describe("3.13: selecting and executing transitions", () => {
  test("document order among the transitions of one state, guards decide", () => {
    const sketch: ChartSketch = {
      data: { n: 2 },
      states: [
        {
          id: "a",
          on: [
            { event: "e", guard: "n > 2", do: [log("first")] },
            { event: "e", guard: "n > 1", do: [log("second")] },
            { event: "e", do: [log("third")] },
          ],
        },
      ],
    };
    expect(logsOf(sketch, "e")).toEqual(["second"]);
  });

  test("inner states come before outer ones", () => {
    const sketch: ChartSketch = {
      states: [
        {
          id: "s",
          on: [
            { event: "e", do: [log("outer")] },
            { event: "f", do: [log("outer f")] },
          ],
          states: [{ id: "s1", on: [{ event: "e", do: [log("inner")] }] }],
        },
      ],
    };
    expect(logsOf(sketch, "e", "f")).toEqual(["inner", "outer f"]);
  });

  test("a transition of a state around is taken for each region that has none of its own", () => {
    const sketch: ChartSketch = {
      states: [
        {
          id: "p",
          parallel: true,
          on: [{ event: "e", do: [log("around")] }],
          states: [{ id: "a", on: [{ event: "e", do: [log("own")] }] }, { id: "b" }],
        },
      ],
    };
    expect(logsOf(sketch, "e")).toEqual(["own", "around"]);
  });

  test("of two that conflict the first in document order wins, unless the other is inside of it", () => {
    const sketch: ChartSketch = {
      states: [
        {
          id: "p",
          parallel: true,
          on: [{ event: "f", to: "z" }],
          states: [
            { id: "a", on: [{ event: "e", to: "x" }] },
            {
              id: "b",
              on: [
                { event: "e", to: "y" },
                { event: "f", to: "y" },
              ],
            },
          ],
        },
        { id: "x" },
        { id: "y" },
        { id: "z" },
      ],
    };
    expect(activeOf(sketch, "e")).toEqual(["x"]);
    // For region a it is the parallel's own transition, for b that of b, which is inside of the parallel and preempts it.
    expect(activeOf(sketch, "f")).toEqual(["y"]);
  });

  test("5.9.1: a guard that cannot be evaluated is false and an error, which the machine can handle", () => {
    const sketch: ChartSketch = {
      states: [
        {
          id: "a",
          on: [
            { event: "e", guard: "event.data.missing > 1", to: "b" },
            { event: "e", do: [log("next")] },
            { event: "error.execution", do: [log("${event.data.path}")] },
          ],
        },
        { id: "b" },
      ],
    };
    expect(logsOf(sketch, "e")).toEqual(["next", "transitions[0].guard"]);
  });

  test("an eventless transition is taken as soon as its guard holds, also after a targetless one", () => {
    const sketch: ChartSketch = {
      data: { n: 0 },
      states: [
        {
          id: "a",
          on: [
            { event: "inc", do: [assign("n", "${n + 1}")] },
            { guard: "n == 2", to: "b" },
          ],
        },
        { id: "b" },
      ],
    };
    expect(activeOf(sketch, "inc")).toEqual(["a"]);
    expect(activeOf(sketch, "inc", "inc")).toEqual(["b"]);
  });

  test("the internal queue is empty before the next external event is taken; eventless transitions come before it", () => {
    const sketch: ChartSketch = {
      states: [
        { id: "a", on: [{ event: "e", to: "b", do: [raise("i1"), raise("i2")] }] },
        {
          id: "b",
          on: [
            { event: "i1", do: [log("i1"), raise("i3")] },
            { event: "i2", to: "c", do: [log("i2")] },
            { event: "x", do: [log("x")] },
          ],
        },
        {
          id: "c",
          on: [
            { event: "i3", do: [log("i3")] },
            { to: "d", do: [log("always")] },
          ],
        },
        { id: "d", on: [{ event: "i3", do: [log("i3 in d")] }] },
      ],
    };
    expect(logsOf(sketch, "e")).toEqual(["i1", "i2", "always", "i3 in d"]);
  });
});
