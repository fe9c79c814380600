import { describe, expect, test } from "vitest";
import { assign, buildChart, type ChartSketch, log, raise } from "../test/support/build-chart.ts";
import { createMachine } from "../test/support/machine.ts";
import { play } from "../test/support/play.ts";

const order: ChartSketch = {
  states: [
    { id: "start", on: [{ event: "begin", to: "processing" }] },
    {
      id: "processing",
      enter: [log("processing")],
      on: [
        { event: "complete", to: "done" },
        { event: "retry", to: "processing" },
      ],
    },
    { id: "done", final: true },
  ],
};

describe("flat machines", () => {
  test("go from state to state and finish", () => {
    const machine = play(order, ({ send }) => {
      send("begin");
      send("retry");
      send("complete");
    });
    expect(machine.state.status).toBe("finished");
    expect(machine.active()).toEqual(["done"]);
    expect(machine.logs()).toEqual(["processing", "processing"]);
  });

  test("an event that nobody waits for is dropped, refused or kept, as the definition says", () => {
    const dropped = play(order, ({ send }) => send("complete"));
    expect(dropped.history.at(-1)).toMatchObject({ type: "event_dropped", name: "complete" });
    const refusing = createMachine(buildChart({ ...order, unexpectedEvents: "refuse" }));
    expect(() => refusing.send("complete")).toThrow(
      /in start, where the event complete leads nowhere; expected there: begin/,
    );
    const keeping = play({ ...order, unexpectedEvents: "queue" }, ({ send }) => {
      send("complete");
      send("begin");
    });
    expect(keeping.state.status).toBe("finished");
  });

  test("a request id counts once", () => {
    const machine = play(order, ({ send }) => {
      send("begin", null, "r1");
      send("begin", null, "r1");
      send("retry", null, "r2");
      send("retry", null, "r2");
    });
    expect(machine.logs()).toEqual(["processing", "processing"]);
  });
});

describe("hierarchy", () => {
  const nested: ChartSketch = {
    states: [
      {
        id: "a",
        enter: [log("+a")],
        exit: [log("-a")],
        on: [
          { event: "out", to: "b" },
          { event: "in", to: "a2", internal: true, do: [log("internal")] },
          { event: "ext", to: "a2", do: [log("external")] },
        ],
        states: [
          { id: "a1", enter: [log("+a1")], exit: [log("-a1")], on: [{ event: "x", to: "a2" }] },
          { id: "a2", enter: [log("+a2")], exit: [log("-a2")] },
          { id: "ah", history: "shallow", initial: "a1" },
        ],
      },
      { id: "b", enter: [log("+b")], exit: [log("-b")], on: [{ event: "back", to: "ah" }] },
    ],
  };

  test("leaves from the inside out and enters from the outside in", () => {
    const machine = play(nested, ({ send }) => send("out"));
    expect(machine.logs()).toEqual(["+a", "+a1", "-a1", "-a", "+b"]);
  });

  test("an internal transition does not leave its source, an external one does", () => {
    const machine = play(nested, ({ send }) => {
      send("in");
      send("ext");
    });
    expect(machine.logs().slice(2)).toEqual(["-a1", "internal", "+a2", "-a2", "-a", "external", "+a", "+a2"]);
  });

  test("history brings back what was left", () => {
    const machine = play(nested, ({ send }) => {
      send("x");
      send("out");
      send("back");
    });
    expect(machine.active()).toEqual(["a2"]);
  });
});

describe("parallel states", () => {
  const device: ChartSketch = {
    states: [
      {
        id: "on",
        parallel: true,
        on: [
          { event: "done.state.on", to: "off" },
          { event: "power", to: "off" },
        ],
        states: [
          {
            id: "sound",
            states: [
              {
                id: "loud",
                on: [
                  { event: "mute", to: "quiet" },
                  { event: "end", to: "s-end" },
                ],
              },
              { id: "quiet", on: [{ guard: 'In("dark")', to: "s-end" }] },
              { id: "s-end", final: true },
            ],
          },
          {
            id: "light",
            states: [
              { id: "bright", on: [{ event: "dim", to: "dark" }] },
              { id: "dark", on: [{ event: "end", to: "l-end" }] },
              { id: "l-end", final: true },
            ],
          },
          { id: "deep", history: "deep", initial: ["loud", "bright"] },
        ],
      },
      { id: "off", on: [{ event: "power", to: "deep" }] },
    ],
  };

  test("regions move by themselves, and one sees where the other is", () => {
    const machine = play(device, ({ send }) => {
      send("mute");
      send("dim");
    });
    expect(machine.active()).toEqual(["s-end", "dark"]);
  });

  test("the parallel is done when all of its regions are", () => {
    const machine = play(device, ({ send }) => {
      send("mute");
      send("dim");
      send("end");
    });
    expect(machine.active()).toEqual(["off"]);
  });

  test("deep history brings all regions back", () => {
    const machine = play(device, ({ send }) => {
      send("mute");
      send("power");
      send("power");
    });
    expect(machine.active()).toEqual(["quiet", "bright"]);
  });
});

describe("time", () => {
  const waiting: ChartSketch = {
    states: [
      {
        id: "wait",
        on: [
          { after: 5_000, to: "late" },
          { event: "again", to: "wait" },
        ],
      },
      {
        id: "late",
        enter: [{ action: "send", event: "tick", delay: "2s", sendId: "t", target: { kind: "self" } }],
        on: [
          { event: "tick", to: "end" },
          { event: "stop", do: [{ action: "cancel", sendId: "t" }] },
        ],
      },
      { id: "end", final: true },
    ],
  };

  test("a delayed transition is taken when its time has come, counted from the last entry", () => {
    const machine = play(waiting, ({ send, wait }) => {
      wait(4_000);
      send("again");
      wait(4_999);
    });
    expect(machine.active()).toEqual(["wait"]);
    machine.wait(1);
    expect(machine.active()).toEqual(["late"]);
    machine.wait(2_000);
    expect(machine.state.status).toBe("finished");
  });

  test("a delayed send can be canceled", () => {
    const machine = play(waiting, ({ send, wait }) => {
      wait(5_000);
      send("stop");
      wait(100_000);
    });
    expect(machine.active()).toEqual(["late"]);
  });

  test.each([
    ["absolute", 0],
    ["remaining", 4_000],
    ["restart", 5_000],
  ] as const)("after a suspension a timer is %s", (policy, leftMs) => {
    const machine = play(
      { states: [{ id: "wait", on: [{ after: 5_000, to: "late", policy }] }, { id: "late" }] },
      ({ run, wait }) => {
        wait(1_000);
        run({ type: "suspend", reason: "" });
        wait(60_000);
        run({ type: "resume", reason: "" });
        wait(Math.max(0, leftMs - 1));
      },
    );
    expect(machine.active()).toEqual([policy === "absolute" ? "late" : "wait"]);
    machine.wait(1);
    expect(machine.active()).toEqual(["late"]);
  });
});

describe("run to completion", () => {
  test("internal events come before external ones, eventless transitions before both", () => {
    const machine = play(
      {
        states: [
          {
            id: "a",
            on: [
              { event: "go", to: "b", do: [{ action: "send", event: "ext", target: { kind: "self" } }, raise("int")] },
            ],
          },
          {
            id: "b",
            on: [
              { event: "ext", do: [log("ext")] },
              { event: "int", to: "c", do: [log("int")] },
            ],
          },
          { id: "c", on: [{ to: "d", do: [log("eventless")] }] },
          { id: "d", on: [{ event: "ext", do: [log("ext")] }] },
        ],
      },
      ({ send }) => send("go"),
    );
    expect(machine.logs()).toEqual(["int", "eventless", "ext"]);
  });

  test("a livelock is an incident that names the circle, and nothing of its macrostep happens", () => {
    const machine = play(
      {
        data: { n: 0 },
        states: [
          { id: "a", on: [{ event: "go", to: "ping", do: [assign("n", 1)] }] },
          { id: "ping", on: [{ to: "pong" }] },
          { id: "pong", on: [{ to: "ping" }] },
        ],
      },
      ({ send }) => send("go"),
    );
    expect(machine.state.status).toBe("failed");
    expect(machine.state.failure?.type).toBe("livelock");
    expect(machine.state.failure?.message).toMatch(/circle of 2 \((ping → pong|pong → ping) → …\)/);
    expect(machine.active()).toEqual(["a"]);
    expect(machine.state.context).toEqual({ n: 0 });
  });

  test("an error ends its block and is an event inside of the machine", () => {
    const machine = play(
      {
        data: { n: 1 },
        states: [
          {
            id: "a",
            on: [
              { event: "go", do: [assign("n", "${n + 1}"), assign("n", "${nothing.there}"), log("never")] },
              { event: "error.execution", to: "b", do: [log("${event.data.path}")] },
            ],
          },
          { id: "b" },
        ],
      },
      ({ send }) => send("go"),
    );
    expect(machine.active()).toEqual(["b"]);
    expect(machine.state.context).toEqual({ n: 2 });
    expect(machine.logs()).toEqual(["transitions[0].actions[1].n"]);
  });
});

describe("invocations", () => {
  const invoking: ChartSketch = {
    data: { out: null },
    states: [
      {
        id: "a",
        invoke: [{ id: "ship", input: { order: "${event == null ? 1 : 2}" } }],
        on: [
          { event: "done.invoke.ship", to: "b", do: [assign("out", "${event.data}")] },
          { event: "error.invoke", to: "c" },
          { event: "leave", to: "c" },
        ],
      },
      { id: "b" },
      { id: "c", on: [{ event: "back", to: "a" }] },
    ],
  };

  test("the result is an event", () => {
    const machine = play(invoking, ({ run }) =>
      run({ type: "complete_invocation", invokeId: "ship", token: 1, output: { ok: true } }),
    );
    expect(machine.state.context).toEqual({ out: { ok: true } });
    expect(machine.state.invocations).toEqual([]);
  });

  test("leaving the state cancels it, and a late result changes nothing", () => {
    const machine = play(invoking, ({ send, run }) => {
      send("leave");
      run({ type: "complete_invocation", invokeId: "ship", token: 1, output: 1 });
      send("back");
    });
    expect(machine.active()).toEqual(["a"]);
    expect(machine.state.invocations).toMatchObject([{ id: "ship", token: 2 }]);
    expect(machine.state.cancellations).toEqual([]);
    expect(() =>
      machine.run({ type: "fail_invocation", invokeId: "ship", token: 1, failure: { type: "x", message: "" } }),
    ).toThrow(/does not wait for run 1/);
  });
});
