// One scenario for each rule of the standard that this core has: https://www.w3.org/TR/scxml/. Sections are named.
import { describe, expect, test } from "vitest";
import {
  assign,
  buildChart,
  type ChartSketch,
  log,
  raise,
  type StateSketch,
  told,
} from "../test/support/build-chart.ts";
import { createMachine } from "../test/support/machine.ts";
import { logsOf, play } from "../test/support/play.ts";
import type { ChartAction, MachineEvent } from "./index.ts";

describe("4: executable content", () => {
  const running = (...actions: ChartAction[]): ChartSketch => ({
    data: { n: 3, list: ["x", "y"], out: "${[]}" },
    states: [
      {
        id: "a",
        on: [
          { event: "e", do: actions },
          { event: "error.execution", do: [log("error: ${event.data.message}")] },
        ],
      },
    ],
  });

  test("4.2, 4.3: raise, if, elif, else", () => {
    const choose: ChartAction = {
      action: "if",
      branches: [
        { condition: "n > 5", actions: [log("big")] },
        { condition: "n > 2", actions: [log("middle")] },
      ],
      otherwise: [log("small")],
    };
    expect(logsOf(running(choose, assign("n", 9), choose, assign("n", 0), choose), "e")).toEqual([
      "middle",
      "big",
      "small",
    ]);
  });

  test("4.6: foreach goes through a copy, with item and index; loops may be nested", () => {
    const loop: ChartAction = {
      action: "foreach",
      items: "list",
      item: "it",
      index: "i",
      actions: [
        assign("list", "${list + ['z']}"),
        { action: "foreach", items: "[i]", item: "inner", actions: [log("${it}${inner}")] },
      ],
    };
    const machine = play(running(loop), ({ send }) => send("e"));
    expect(machine.logs()).toEqual(["x0", "y1"]);
    expect(machine.state.context["list"]).toEqual(["x", "y", "z", "z"]);
  });

  test("4.6: what is no list is an error", () => {
    expect(logsOf(running({ action: "foreach", items: "n", item: "it", actions: [] }, log("never")), "e")).toEqual([
      "error: a list is needed to go through, not a number",
    ]);
  });

  test("4.9: an error ends its block and not the others", () => {
    const sketch: ChartSketch = {
      states: [
        {
          id: "a",
          exit: [log("exit"), log("${nothing}"), log("never")],
          on: [{ event: "e", to: "b", do: [log("${nothing}"), log("never")] }],
        },
        { id: "b", enter: [log("enter")], on: [{ event: "error.execution", do: [log("error")] }] },
      ],
    };
    expect(logsOf(sketch, "e")).toEqual(["exit", "enter", "error", "error"]);
  });

  test("5.4: assignment to a field inside of an object; a field of what is no object is an error", () => {
    const sketch: ChartSketch = {
      data: { order: { total: 1, lines: [] }, n: 1 },
      states: [
        {
          id: "a",
          on: [{ event: "e", do: [assign("order.total", "${order.total + 1}"), assign("order.paid.by", 1)] }],
        },
      ],
    };
    const machine = play(sketch, ({ send }) => send("e"));
    expect(machine.state.context["order"]).toEqual({ total: 2, lines: [] });
    expect(machine.history.at(-1)).toMatchObject({
      effects: [{ type: "error", message: expect.stringMatching(/order.paid.by can only be set inside of an object/) }],
    });
  });
});

describe("5: data", () => {
  const inner: StateSketch = { id: "b", data: { late: "${n + 1}" }, on: [{ event: "back", to: "a" }] };
  const bound = (binding: "early" | "late"): ChartSketch => ({
    binding,
    data: { n: 1 },
    states: [{ id: "a", on: [{ event: "e", to: "b", do: [assign("n", 5)] }] }, inner],
  });

  test("5.3.3: early binding makes all data at the beginning, late binding at the first entry and only then", () => {
    expect(play(bound("early"), ({ send }) => send("e")).state.context).toEqual({ n: 5, late: 2 });
    expect(play(bound("late"), () => {}).state.context).toEqual({ n: 1 });
    const machine = play(bound("late"), ({ send }) => {
      send("e");
      send("back");
      send("e");
    });
    expect(machine.state.context).toEqual({ n: 5, late: 6 });
  });

  test("5.3: a creation replaces values by name; what cannot be made is null and an error of the machine", () => {
    const sketch: ChartSketch = {
      data: { n: 1, bad: "${nothing}", after: "${n * 2}" },
      states: [{ id: "a", on: [{ event: "error.execution", do: [log("${event.data.path}")] }] }],
    };
    const machine = play(sketch, () => {}, { context: { n: 10 } });
    expect(machine.state.context).toEqual({ n: 10, bad: null, after: 20 });
    expect(machine.logs()).toEqual(["context.bad"]);
  });

  test("5.9.2: In() sees the configuration as it is at that moment, also while it changes", () => {
    const sketch: ChartSketch = {
      states: [
        {
          id: "p",
          parallel: true,
          states: [
            { id: "a", enter: [log("${In('p')} ${In('b')}")] },
            { id: "b", enter: [log("${In('a')} ${In('b')}")] },
          ],
        },
      ],
    };
    expect(logsOf(sketch)).toEqual(["true false", "true true"]);
  });

  test("5.10.1: the event is bound until the next one, with name, data, type and ids", () => {
    const sketch: ChartSketch = {
      states: [
        { id: "a", on: [{ event: "e", to: "b" }] },
        {
          id: "b",
          enter: [log("${event.name} ${event.type} ${event.data.n}"), raise("i", 1)],
          on: [{ event: "i", do: [log("${_event.name} ${_event.type} ${_event.data}")] }],
        },
      ],
    };
    const machine = play(sketch, ({ send }) => send("e", { n: 1 }));
    expect(machine.logs()).toEqual(["e external 1", "i internal 1"]);
  });
});

describe("6.2: send and cancel", () => {
  const send = (rest: Partial<Extract<ChartAction, { action: "send" }>>): ChartAction => ({
    action: "send",
    event: "later",
    target: { kind: "self" },
    ...rest,
  });

  test("to itself without a delay: after everything internal", () => {
    const sketch: ChartSketch = {
      states: [
        {
          id: "a",
          on: [
            { event: "e", do: [send({}), raise("now")] },
            { event: "now", do: [log("now")] },
            { event: "later", do: [log("later")] },
          ],
        },
      ],
    };
    expect(logsOf(sketch, "e")).toEqual(["now", "later"]);
  });

  test("delayed ones come in the order of their times, whatever the order of sending", () => {
    const sketch: ChartSketch = {
      states: [
        {
          id: "a",
          enter: [
            send({ event: "third", delay: 3_000 }),
            send({ event: "first", delay: "${1000}" }),
            send({ event: "second", delay: "2s" }),
          ],
          on: [{ event: "*", do: [log("${event.name}")] }],
        },
      ],
    };
    const machine = play(sketch, ({ wait }) => wait(10_000));
    expect(machine.logs()).toEqual(["first", "second", "third"]);
    expect(machine.history.filter(({ type }) => type === "event_received").map(({ at }) => at)).toEqual([
      2_000, 3_000, 4_000,
    ]);
  });

  test("canceled by an id that was given or made, also in the same block", () => {
    const sketch: ChartSketch = {
      data: { id: null },
      states: [
        {
          id: "a",
          enter: [
            send({ event: "x", delay: 1_000, sendId: "x" }),
            send({ event: "y", delay: 1_000, idLocation: "id" }),
            send({ event: "z", delay: 1_000, sendId: "z" }),
            { action: "cancel", sendId: "x" },
            { action: "cancel", sendId: "${id}" },
          ],
          on: [{ event: "*", do: [log("${event.name} ${event.send_id}")] }],
        },
      ],
    };
    expect(play(sketch, ({ wait }) => wait(5_000)).logs()).toEqual(["z z"]);
  });

  test("to others it is an obligation until it is acknowledged; what cannot be delivered is error.communication", () => {
    const sketch: ChartSketch = {
      states: [
        {
          id: "a",
          on: [
            { event: "e", do: [send({ target: { kind: "machine", workflowId: "other", key: "k" }, data: { n: 1 } })] },
            { event: "error.communication", do: [log("${event.data.event}: ${event.data.message}")] },
          ],
        },
      ],
    };
    const machine = play(sketch, (m) => {
      m.send("e");
      m.send("e");
      m.run({ type: "acknowledge_message", messageId: 1 });
      m.run({ type: "acknowledge_message", messageId: 2, failure: { type: "not_found", message: "no such machine" } });
      m.run({ type: "acknowledge_message", messageId: 2 });
    });
    expect(machine.state.messages).toEqual([]);
    expect(machine.logs()).toEqual(["later: no such machine"]);
  });

  test("to a parent or an invocation that is not there is error.communication at once", () => {
    const sketch: ChartSketch = {
      states: [
        {
          id: "a",
          on: [
            { event: "e", do: [send({ target: { kind: "parent" } })] },
            { event: "f", do: [send({ target: { kind: "invocation", invokeId: "i" } })] },
            { event: "error.communication", do: [log("${event.data.message}")] },
          ],
        },
      ],
    };
    expect(logsOf(sketch, "e", "f")).toEqual([
      "nobody has invoked this machine, so it has no parent",
      "no invocation i is running",
    ]);
  });
});

describe("6.4: invocations", () => {
  const invoking = (rest: Partial<StateSketch> = {}): ChartSketch => ({
    data: { seen: "${[]}" },
    states: [
      {
        id: "a",
        invoke: [{ id: "w", input: { from: "${event == null ? 'start' : event.name}" } }],
        on: [
          { event: "done.invoke.w", to: "b" },
          { event: "progress.invoke.w", do: [assign("seen", "${seen + [event.data]}")] },
          { event: "leave", to: "b" },
        ],
        ...rest,
      },
      { id: "b", on: [{ event: "back", to: "a" }] },
    ],
  });
  const started = (history: readonly MachineEvent[]) => history.filter(({ type }) => type === "invocation_started");

  test("they start at the end of the macrostep, and only for states that are still active then", () => {
    expect(started(play(invoking(), () => {}).history)).toMatchObject([
      { invokeId: "w", token: 1, input: { from: "start" } },
    ]);
    const passing = invoking({ on: [{ to: "b" }] });
    expect(started(play(passing, () => {}).history)).toEqual([]);
  });

  test("6.4.3: leaving cancels; each entry is a run of its own; late results are dropped", () => {
    const machine = play(invoking(), (m) => {
      m.send("leave");
      m.send("back");
      m.run({ type: "complete_invocation", invokeId: "w", token: 1, output: "late" });
      m.run({ type: "report_progress", invokeId: "w", token: 2, data: 50, requestId: "p1" });
      m.run({ type: "report_progress", invokeId: "w", token: 2, data: 50, requestId: "p1" });
    });
    expect(machine.active()).toEqual(["a"]);
    expect(machine.state).toMatchObject({ cancellations: [], invocations: [{ token: 2 }], context: { seen: [50] } });
  });

  test("6.5: finalize runs before transitions are selected, and only for events of its invocation", () => {
    const sketch: ChartSketch = {
      data: { n: 0 },
      states: [
        {
          id: "a",
          invoke: [{ id: "w", finalize: [assign("n", "${event.data}")] }],
          on: [
            { event: "done.invoke.w", guard: "n == 7", to: "b" },
            { event: "x", do: [log("${n}")] },
          ],
        },
        { id: "b" },
      ],
    };
    const machine = play(sketch, (m) => {
      m.send("x", 3);
      m.run({ type: "complete_invocation", invokeId: "w", token: 1, output: 7 });
    });
    expect(machine.active()).toEqual(["b"]);
    expect(machine.logs()).toEqual(["0"]);
  });

  test("6.4: autoforward passes events from outside on, also those that enable nothing here", () => {
    const machine = play(
      { unexpectedEvents: "refuse", states: [{ id: "a", invoke: [{ id: "w", autoForward: true }] }] },
      ({ send }) => send("anything", 1),
    );
    expect(machine.state.messages).toMatchObject([
      { name: "anything", data: 1, target: { kind: "invocation", invokeId: "w" } },
    ]);
  });

  test("an input that cannot be made is an error, and nothing is invoked", () => {
    const sketch: ChartSketch = {
      states: [
        { id: "a", invoke: [{ id: "w", input: "${nothing}" }], on: [{ event: "error.execution", to: "b" }] },
        { id: "b" },
      ],
    };
    const machine = play(sketch, () => {});
    expect(machine.active()).toEqual(["b"]);
    expect(started(machine.history)).toEqual([]);
  });

  test("the end of the machine cancels what still runs", () => {
    const sketch: ChartSketch = {
      states: [
        { id: "a", invoke: [{ id: "w" }], on: [{ event: "e", to: "f" }] },
        { id: "f", final: true },
      ],
    };
    const machine = play(sketch, ({ send }) => send("e"));
    expect(machine.state).toMatchObject({
      status: "finished",
      invocations: [],
      cancellations: [{ id: "w", token: 1 }],
    });
    expect(machine.run({ type: "acknowledge_cancellation", token: 1 })).toMatchObject([
      { type: "cancellation_acknowledged" },
    ]);
  });
});

describe("beyond the standard", () => {
  test("while it is suspended a machine keeps events and timers, and goes on in their order", () => {
    const sketch: ChartSketch = {
      states: [
        {
          id: "a",
          on: [
            { event: "*", do: [log("${event.name}")] },
            { after: 1_000, to: "b" },
          ],
        },
        { id: "b", on: [{ event: "*", do: [log("b ${event.name}")] }] },
      ],
    };
    const machine = play(sketch, (m) => {
      m.run({ type: "suspend", reason: "holiday" });
      m.send("x");
      m.send("y");
      m.wait(5_000);
      m.run({ type: "resume", reason: "back" });
    });
    expect(machine.logs()).toEqual(["x", "y"]);
    expect(machine.active()).toEqual(["b"]);
  });

  test("deferred events wait until they enable something", () => {
    const sketch: ChartSketch = {
      unexpectedEvents: "queue",
      states: [
        { id: "a", on: [{ event: "go", to: "b" }] },
        { id: "b", on: [{ event: "two", to: "c", do: [log("two")] }] },
        { id: "c", on: [{ event: "one", do: [log("one")] }] },
      ],
    };
    expect(logsOf(sketch, "one", "two", "go")).toEqual(["two", "one"]);
  });

  test("deleting ends timers, queues and invocations without running exits", () => {
    const machine = play(
      { states: [told("a", { invoke: [{ id: "w" }], on: [{ after: 1_000, to: "a" }] })] },
      ({ run }) => run({ type: "delete", reason: "test" }),
    );
    expect(machine.state).toMatchObject({ status: "deleted", timers: [], cancellations: [{ id: "w" }] });
    expect(machine.logs()).toEqual(["+a"]);
  });

  test("a turn is bounded: what a machine sends itself for ever leaves room for others", () => {
    const sketch: ChartSketch = {
      states: [
        { id: "a", on: [{ event: "again", do: [{ action: "send", event: "again", target: { kind: "self" } }] }] },
      ],
    };
    const machine = createMachine(buildChart(sketch));
    const events = machine.send("again");
    expect(events.length).toBeLessThan(500);
    expect(machine.state.queue).toHaveLength(1);
    expect(machine.run({ type: "fire_timers" }).length).toBeGreaterThan(100);
  });

  test("names of events that the machine makes cannot be sent", () => {
    const machine = createMachine(buildChart({ states: [{ id: "a" }] }));
    for (const name of ["done.state.a", "error.execution", "after.a.0", "progress.invoke.x"]) {
      expect(() => machine.send(name)).toThrow(/is reserved/);
    }
  });
});
