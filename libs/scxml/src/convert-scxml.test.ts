import { readFileSync } from "node:fs";
import type { Json } from "@heddle/engine";
import { compileDefinition } from "@heddle/language";
import {
  activeStates,
  type ChartDocument,
  decide,
  linkChart,
  type MachineCommand,
  type MachineEvent,
  type MachineState,
  nextTimerAt,
} from "@heddle/statechart";
import { describe, expect, it } from "vitest";
import { convertScxml } from "./index.ts";

const MACHINE_ID = "01900000-0000-7000-8000-000000000001";

/** The converted document, compiled: no finding may be an error. */
function compile(source: string): ChartDocument {
  const { yaml, problems } = convertScxml(source);
  if (yaml === undefined) throw new Error(JSON.stringify(problems));
  const { plan, findings } = compileDefinition(yaml);
  if (plan?.type !== "state_machine") throw new Error(`${JSON.stringify(findings)}\n${yaml}`);
  return plan;
}

/** A machine of the converted document, on a clock of its own. */
function run(source: string) {
  const chart = linkChart(compile(source));
  const history: MachineEvent[] = [];
  let state: MachineState | undefined;
  let now = 1_000;
  const submit = (command: MachineCommand): void => {
    const decision = decide(chart, state, command, { machineId: MACHINE_ID, now });
    state = decision.state;
    history.push(...decision.events);
  };
  const create = { namespace: "default", workflowId: "w", version: 1, key: "", labels: {}, context: {}, requestId: "" };
  submit({ type: "create", create });
  return {
    send: (name: string, data: Json = null) => submit({ type: "send", name, data, requestId: "" }),
    wait(ms: number) {
      const end = now + ms;
      for (let due = nextTimerAt(state!); due !== undefined && due <= end; due = nextTimerAt(state!)) {
        now = due;
        submit({ type: "fire_timers" });
      }
      now = end;
    },
    complete: (invokeId: string, output: Json) => {
      const invocation = state!.invocations.find((each) => each.id === invokeId);
      submit({ type: "complete_invocation", invokeId, token: invocation!.token, output });
    },
    active: () => activeStates(chart, state!),
    context: () => state!.context,
    state: () => state!,
    history,
  };
}

function documentOf(body: string, attributes = ""): string {
  return `<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" datamodel="ecmascript" ${attributes}>${body}</scxml>`;
}

/** Documents in the manner of the W3C's own tests: whether they end in `pass` says whether the rule holds. */
describe("what a document does, it does after the conversion", () => {
  it.each([
    ["SCXML 3.3: the first state is the initial one", '<state id="s"><transition target="pass"/></state>'],
    [
      "3.6: an initial transition does what it says",
      '<datamodel><data id="n" expr="0"/></datamodel><state id="s"><initial><transition target="in"><assign location="n" expr="n + 1"/></transition></initial><state id="in"><transition cond="n === 1" target="pass"/><transition target="fail"/></state></state>',
    ],
    [
      "3.7: done.state of a state whose name changes",
      '<state id="out.er"><state id="in"><transition target="f"/></state><final id="f"><donedata><param name="n" expr="1+1"/></donedata></final><transition event="done.state.out.er" cond="_event.data.n == 2" target="pass"/><transition event="*" target="fail"/></state>',
    ],
    [
      "3.10: deep history brings back what was",
      '<state id="p" initial="a"><history id="h" type="deep"><transition target="a"/></history><state id="a"><transition target="b1"/></state><state id="b"><state id="b0"/><state id="b1"><transition event="back" target="seen"/><transition cond="typeof seen === \'undefined\'" target="away"/></state></state></state><state id="away"><onentry><assign location="seen" expr="true"/><raise event="back"/></onentry><transition target="h"/></state><final id="seen"/>'
        .replace('target="seen"', 'target="pass"')
        .replace('<final id="seen"/>', "")
        .replace('<state id="p"', '<datamodel><data id="seen"/></datamodel><state id="p"'),
    ],
    [
      "3.12.1: descriptors of events match by their parts",
      '<state id="s"><onentry><raise event="foo.bar.zoo"/></onentry><transition event="foob foo.b" target="fail"/><transition event="x foo.bar" target="pass"/></state>',
    ],
    [
      "3.13: the inner transition goes first, and eventless ones before events",
      '<state id="s"><onentry><raise event="e"/></onentry><transition event="e" target="fail"/><state id="i"><transition target="j"/></state><state id="j"><transition event="e" target="pass"/></state></state>',
    ],
    [
      "4.2, 4.6: if and foreach",
      '<datamodel><data id="sum" expr="0"/><data id="list" expr="[1, 2, 3]"/></datamodel><state id="s"><onentry><foreach array="list" item="x" index="i"><if cond="i == 1"><assign location="sum" expr="sum + 10"/><elseif cond="x == 3"/><assign location="sum" expr="sum + x + i"/><else/><assign location="sum" expr="sum + 1"/></if></foreach></onentry><transition cond="sum == 16" target="pass"/><transition target="fail"/></state>',
    ],
    [
      "5.9.2: an expression that fails is error.execution",
      '<datamodel><data id="x" expr="1"/></datamodel><state id="s"><onentry><assign location="x" expr="x.y.z"/></onentry><transition event="error.execution" target="pass"/><transition event="*" target="fail"/></state>',
    ],
    [
      "5.10: the event can be looked at",
      '<state id="s"><onentry><send event="e" id="mine"><param name="n" expr="3"/><content/></send></onentry><transition event="e" cond="_event.name == \'e\' &amp;&amp; _event.sendid == \'mine\' &amp;&amp; _event.type == \'external\'" target="pass"/><transition event="*" target="fail"/></state>',
    ],
    [
      "6.2: a delayed event comes later, one to #_internal at once",
      '<state id="s"><onentry><send event="late" delay="10ms"/><send event="soon" target="#_internal"/></onentry><transition event="late" target="fail"/><transition event="soon" target="t"/></state><state id="t"><transition event="late" target="pass"/></state>',
    ],
    [
      "6.3: cancel",
      '<state id="s"><onentry><send event="never" delay="1s" id="x"/><send event="ok" delay="1.5s"/><cancel sendid="x"/></onentry><transition event="never" target="fail"/><transition event="ok" target="pass"/></state>',
    ],
    [
      "B.2: the configuration can be asked for",
      '<parallel id="p"><state id="r"><transition cond="In(\'x.1\') &amp;&amp; !In(\'x.2\')" target="pass"/></state><state id="q"><state id="x.1"/><state id="x.2"><transition event="no" target="x.1"/></state></state></parallel>',
    ],
  ])("%s", (_rule, body) => {
    const machine = run(documentOf(`${body}<final id="pass"/><final id="fail"/>`));
    machine.wait(5_000);
    expect(machine.active()).toEqual(["pass"]);
  });

  it("runs a microwave: parallel regions, guards on one another's states, data", () => {
    const machine = run(readFileSync(new URL("../testdata/microwave.scxml", import.meta.url), "utf8"));
    expect(machine.active()).toEqual(["off", "closed"]);
    machine.send("turn.on");
    expect(machine.active()).toEqual(["cooking", "closed"]);
    machine.send("door.open");
    expect(machine.active()).toEqual(["idle", "open_wide"]);
    machine.send("door.close");
    for (let second = 1; second <= 4; second += 1) machine.send("time", { who: `s${second}` });
    expect(machine.active()).toEqual(["cooking", "closed"]);
    expect(machine.context()).toMatchObject({ timer: 4, who: "s4", items: [1, "${x}"] });
    machine.send("time", { who: "s5" });
    expect(machine.active()).toEqual(["off", "closed"]);
    const messages = machine.history.flatMap((event) =>
      event.type === "microstep"
        ? event.effects.flatMap((effect) => (effect.type === "logged" ? effect.message : []))
        : [],
    );
    expect(messages).toEqual(["2", "engine: on at 0"]);
  });

  it("runs an order: timers, an invocation, history, done data", () => {
    const source = readFileSync(new URL("../testdata/order.scxml", import.meta.url), "utf8");
    const late = run(source);
    for (const price of [40, 70]) late.send("item.add", { price, sku: "x" });
    late.send("item.add", { price: 5 });
    expect(late.active()).toEqual(["review"]);
    expect(late.context()).toMatchObject({ order: { total: 110 } });
    late.wait(2_000);
    expect(late.state()).toMatchObject({ status: "finished", output: { canceled: true } });

    const paid = run(source);
    paid.send("item.add", { price: 12, sku: "x" });
    paid.send("pay", {});
    expect(paid.active()).toEqual(["packing"]);
    expect(paid.context()).toMatchObject({ receipt: "none", log: "a0b1" });
    paid.send("packed");
    paid.send("refund");
    expect(paid.active()).toEqual(["waiting"]);
    expect(paid.state().invocations).toMatchObject([{ id: "ship", input: { total: 12 } }]);
    paid.complete("ship", { receipt: "R-1" });
    expect(paid.state()).toMatchObject({ status: "finished", output: { total: 12, log: "a0b1a0b1" } });
    expect(paid.context()).toMatchObject({ receipt: "R-1" });
  });
});

describe("what cannot be converted is told with its place", () => {
  it.each([
    [
      '<state id="a">\n  <transition cond="x.map(f)"/></state>',
      '2:23 the expression "x.map(f)": map() cannot be converted',
    ],
    ['<state id="a"><transition cond="1 &lt; Math.abs(2)"/></state>', '1:118 the expression "1 < Math.abs(2)"'],
    ['<state id="a"><onentry><script>let f = 1; f()</script></onentry></state>', "1:128 the expression"],
    ['<script>x = 1</script><state id="a"/>', "1:86 <script> inside of <scxml>"],
    ['<state id="a"><onentry><send event="e" type="http"/></onentry></state>', '"http"'],
    ['<state id="a"><onentry><send event="e" target="http://x"/></onentry></state>', 'target "http://x"'],
    ['<state id="a"><onentry><send event="e" target="#_parent" delay="1s"/></onentry></state>', "a delayed event"],
    ['<state id="a"><onentry><send event="e" delay="soon"/></onentry></state>', '"soon" is no duration'],
    ['<state id="a"><invoke type="x-y" src="z"/></state>', 'type "x-y"'],
    ['<state id="a"><invoke><content><scxml/></content></invoke></state>', "<invoke> names nothing"],
    ['<datamodel><data id="a b" expr="1"/></datamodel><state id="a"/>', 'the expression "a b"'],
    ['<datamodel><data id="d" src="file.json"/></datamodel><state id="a"/>', '"src" of <data>'],
    ['<state id="a"><onentry><assign location="list[0]" expr="1"/></onentry></state>', "only fields by their names"],
    ['<state id="a"><onentry><raise/></onentry></state>', "<raise> has no event"],
    ['<state id="a"><banana/></state>', "<banana> inside of <state>"],
  ])("%s", (body, message) => {
    const { yaml, problems } = convertScxml(documentOf(body));
    expect(yaml).toBeUndefined();
    const told = problems.map((problem) => `${problem.line}:${problem.column} ${problem.message}`);
    expect(told).toContainEqual(expect.stringContaining(message));
    for (const { hint } of problems) expect(hint).not.toBe("");
  });

  it.each([
    ["", "no XML"],
    ["<scxml><state></scxml>", "no XML: unexpected close tag"],
    ["<html/>", "begins with <html>"],
    ['<scxml datamodel="xpath"><state id="a"/></scxml>', 'datamodel "xpath"'],
    [`<scxml>${"<state>".repeat(100)}${"</state>".repeat(100)}</scxml>`, "64 deep"],
    [`<!DOCTYPE x [<!ENTITY e "x">]><scxml name="&e;"/>`, "no XML"],
    ["x".repeat(1_048_577), "1048577 characters"],
  ])("also when it is no SCXML at all: %.40s", (source, message) => {
    const { yaml, problems } = convertScxml(source);
    expect(yaml).toBeUndefined();
    expect(problems[0]?.message).toContain(message);
  });
});

it("names what SCXML may leave without a name, and takes its own id over the document's", () => {
  const { yaml } = convertScxml(documentOf("<state><state/></state><final/>", 'name="my machine"'), { id: "given" });
  expect(compileDefinition(yaml ?? "").plan).toMatchObject({
    workflowId: "given",
    name: "my machine",
    states: [{}, { id: "state-1" }, { id: "state-2" }, { id: "final-1" }],
  });
});
