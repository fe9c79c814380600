import { describe, expect, test } from "vitest";
import { type ChartPlan, compileDefinition } from "../index.ts";

/** The rules that a machine breaks, each with the line of its place. */
function rulesOf(body: string, head = ""): string[] {
  const { findings } = compileDefinition(`workflow:\n  id: m\n  type: state_machine\n${head}  states:\n${body}`);
  return findings.map(({ rule, line }) => `${rule}@${line}`);
}

function messageOf(body: string, head = ""): string {
  const { findings } = compileDefinition(`workflow:\n  id: m\n  type: state_machine\n${head}  states:\n${body}`);
  return findings[0]?.message ?? "";
}

test("the flat form", () => {
  const { plan, findings } = compileDefinition(`workflow:
  id: my-state-machine
  type: state_machine
  initial_state: start
  states:
    - name: start
      transitions: [{ event: begin, target: processing }]
    - name: processing
      on_enter: [{ type: log, params: { message: "processing" } }]
      transitions: [{ event: complete, target: done }, { event: retry, target: processing }]
    - name: done
      type: final
`);
  expect(findings).toEqual([]);
  expect(plan).toMatchObject({
    format: "heddle.chart/1",
    workflowId: "my-state-machine",
    binding: "early",
    unexpectedEvents: "drop",
    states: [
      { id: "", kind: "compound", parent: -1, initial: { targets: [1], actions: [] } },
      { id: "start", kind: "atomic", parent: 0, transitions: [{ events: ["begin"], targets: [2], internal: false }] },
      { id: "processing", onEnter: [[{ action: "log", message: "processing", level: "info" }]] },
      { id: "done", kind: "final" },
    ],
  });
});

test("everything at once", () => {
  const { plan, findings } = compileDefinition(`workflow:
  id: order
  type: state_machine
  context: { total: 0, items: "\${[]}", out: null }
  on_unexpected_event: refuse
  output: { total: "\${total}" }
  states:
    - name: open
      parallel: true
      transitions:
        - { event: [cancel, "admin.*"], target: end, guard: "\${total > 0 && In('unpaid')}" }
        - { after: 5m, target: end, resume: remaining }
      states:
        - name: payment
          states:
            - { name: unpaid, transitions: [{ event: paid, target: is-paid, actions: { type: assign, params: { total: "\${event.data.amount}" } } }] }
            - { name: is-paid, type: final, output: "\${total}" }
        - name: goods
          initial_state: packing
          states:
            - name: packing
              invoke: { id: pack, tool: packer, inputs: { items: "\${items}" }, timeout: 1h }
              transitions: [{ event: done.invoke.pack, target: packed, actions: [{ type: assign, params: { out: "\${event.data}" } }] }]
            - name: packed
              transitions: [{ event: done.state.payment, target: shipped }]
            - { name: shipped, type: final }
            - { name: before, history: deep, default: packing }
    - name: end
      on_enter:
        - { type: foreach, params: { items: "\${items}", item: it, index: i, do: [{ type: log, params: { message: "\${it} \${i}" } }] } }
        - { type: if, params: { condition: "\${total > 1}", then: [{ type: raise, params: { event: big } }], else: [{ type: send, params: { event: later, delay: 5s, id: s } }] } }
      transitions:
        - { event: big, target: closed }
        - { event: later, target: closed }
        - { event: back, target: before }
    - { name: closed, type: final }
`);
  expect(findings).toEqual([]);
  const chart = plan as ChartPlan;
  const [, open] = chart.states;
  expect(open).toMatchObject({
    kind: "parallel",
    transitions: [
      { events: ["cancel", "admin.*"], guard: "total > 0 && In('unpaid')", targets: [10] },
      { events: [], delay: 300_000, delayPolicy: "remaining", targets: [10] },
    ],
  });
  expect(chart.states[9]).toMatchObject({ id: "before", history: "deep", initial: { targets: [6] }, parent: 5 });
  expect(chart.invocationPlans?.["pack"]).toMatchObject({
    workflowId: "order.pack",
    nodes: [{ id: "pack", taskName: "packer", timeoutMs: 3_600_000 }],
  });
});

describe("what is wrong is said with its place", () => {
  test.each([
    [
      "a target that is not there",
      "    - { name: a, transitions: [{ event: x, target: bb }] }\n    - { name: b }",
      "unknown-state@5",
    ],
    [
      "two states of one name",
      "    - { name: a, transitions: [{ event: x, target: b }] }\n    - { name: b }\n    - { name: b }",
      "duplicate-id@7",
    ],
    [
      "a final state with transitions",
      "    - { name: a, type: final, transitions: [{ event: x, target: a }] }",
      "bad-state@5",
    ],
    [
      "an initial state elsewhere",
      "    - { name: a, initial_state: b, states: [{ name: c }] }\n    - { name: b }",
      "bad-initial@5",
    ],
    [
      "targets that exclude each other",
      "    - { name: a, transitions: [{ event: x, target: [b, c] }] }\n    - { name: b }\n    - { name: c }",
      "targets-exclude@5",
    ],
    [
      "an expression without its end",
      '    - { name: a, transitions: [{ event: x, target: a, guard: "${1 +}" }] }',
      "expression-syntax@5",
    ],
    [
      "a name that is nowhere",
      '    - { name: a, transitions: [{ event: x, target: a, guard: "${totl > 1}" }] }',
      "unknown-name@5",
    ],
    [
      "In() of no state",
      "    - { name: a, transitions: [{ event: x, target: a, guard: \"${In('z')}\" }] }",
      "unknown-state@5",
    ],
    [
      "an endless loop",
      "    - { name: a, transitions: [{ event: x, target: b }] }\n    - { name: b, transitions: [{ target: c }] }\n    - { name: c, transitions: [{ target: b }] }",
      "endless-loop@6",
    ],
  ])("%s", (_what, body, expected) => {
    expect(rulesOf(body)).toContain(expected);
  });
});

describe("what the model shows", () => {
  const end = "    - { name: end, type: final }\n";
  test.each([
    [
      "a state that nothing leads to",
      `    - { name: a, transitions: [{ event: x, target: end }] }\n    - { name: b, transitions: [{ event: x, target: end }] }\n${end}`,
      'nothing leads to the state "b"',
    ],
    [
      "a dead end, with the way there",
      `    - { name: a, transitions: [{ event: x, target: b }, { event: y, target: end }] }\n    - { name: b }\n${end}`,
      'nothing leads out of the state "b": a → x → b',
    ],
    [
      "no way to an end",
      `    - { name: a, transitions: [{ event: x, target: b }, { event: y, target: end }] }\n    - { name: b, transitions: [{ event: z, target: c }] }\n    - { name: c, transitions: [{ event: z, target: b }] }\n${end}`,
      'no final state can be reached from "b": a → x → b',
    ],
    [
      "a transition in the shadow of another",
      `    - { name: a, transitions: [{ event: x, target: end }, { event: x.y, target: a }] }\n${end}`,
      "this transition can never be taken: the one in line 5 always is",
    ],
    [
      "a guard that is never true",
      `    - { name: a, transitions: [{ event: x, target: a, guard: false }, { event: x, target: end }] }\n${end}`,
      "this transition is never taken: its guard is always false",
    ],
    [
      "an event that nothing sends",
      `    - { name: a, transitions: [{ event: done.state.a, target: end }] }\n${end}`,
      'nothing sends "done.state.a": the state "a" has no final state inside',
    ],
    [
      "a timer for nothing",
      `    - { name: a, transitions: [{ after: 5s }, { event: x, target: end }] }\n${end}`,
      "this timer leads nowhere and does nothing",
    ],
  ])("%s", (_what, body, expected) => {
    expect(messageOf(body)).toBe(expected);
  });

  test("a way out may be that of a state around, or of another region", () => {
    const body = `    - name: p
      parallel: true
      states:
        - { name: r1, states: [{ name: a1 }] }
        - { name: r2, states: [{ name: a2, transitions: [{ event: x, target: end }] }] }
    - name: around
      transitions: [{ event: back, target: end }]
      states: [{ name: inner }]
    - { name: end, type: final }
`;
    expect(rulesOf(body)).toEqual(["unreachable-state@10"]);
  });
});

test("a machine of very many states is refused, and read in time that grows with it", () => {
  const states = Array.from(
    { length: 2_001 },
    (_, i) => `    - { name: s${i}, transitions: [{ event: go, target: s${i + 1} }] }\n`,
  );
  expect(rulesOf(`${states.join("")}    - { name: s2001, type: final }\n`)).toContain("too-many-states@2005");
  expect(rulesOf(`${states.slice(0, 1_999).join("")}    - { name: s1999, type: final }\n`)).toEqual([]);
});
