import {
  EVENT,
  eventKey,
  mapOf,
  MODULUS,
  nodeOf,
  PLANNED_FAILURE,
  type Program,
  racerOf,
  SIGNAL,
  type Stage,
  TRANSLATED_FAILURE,
} from "./program.ts";

type Node = Record<string, unknown>;

/** Attempts are many and close together: a fault may cost some, and the result must not depend on how many. */
const RETRY = { max_attempts: 100, initial_interval: "50ms", max_interval: "500ms" };

/** Gives the output of a workflow that has failed. */
const FALLBACK = "rescue";

/** The definition, JSON, of a program. */
export function renderProgram({ workflowId, salt, stages }: Program): string {
  const nodes: Node[] = [
    // The first number comes from a task as well: an execution without one would need no scheduler.
    tool("start", "add", "input.n", { by: salt }),
  ];
  let number = "start.output.n";
  for (const [index, stage] of stages.entries()) {
    const rendered = renderStage(stage, nodeOf(index), number);
    nodes.push(...rendered.nodes);
    number = rendered.number;
  }
  const last = stages.at(-1);
  const handler = last?.kind === "caught" && { on_error: { type: PLANNED_FAILURE, ...handle(last, number) } };
  return JSON.stringify({ workflow: { id: workflowId, type: "dag", nodes, output: `\${${number}}`, ...handler } });
}

/** What a workflow makes of its failure. */
function handle(stage: Extract<Stage, { kind: "caught" }>, number: string): object {
  switch (stage.how) {
    case "continue":
      return { continue: `\${${number}}` };
    case "fallback":
      return { fallback: FALLBACK };
    case "fail":
      return { fail: { type: TRANSLATED_FAILURE } };
  }
}

/** The nodes of a stage, and the expression that gives its number. */
function renderStage(stage: Stage, id: string, number: string): { nodes: Node[]; number: string } {
  switch (stage.kind) {
    case "add":
    case "flaky":
    case "bulk":
    case "fail": {
      const { kind, ...parameters } = stage;
      return { nodes: [tool(id, kind, number, parameters)], number: `${id}.output.n` };
    }
    case "slow":
      return {
        nodes: [tool(id, "slow", number, { by: stage.by, durationMs: stage.durationMs })],
        number: `${id}.output.n`,
      };
    case "hang":
      return { nodes: [{ ...tool(id, "hang", number, { by: stage.by }), timeout: "700ms" }], number: `${id}.output.n` };
    case "fan": {
      const branches = stage.by.map((_, branch) => `${id}-${branch}`);
      return {
        nodes: [
          { id: `${id}-fan`, type: "control", subtype: "parallel", branches, ...after(number) },
          ...stage.by.map((by, branch) => tool(`${id}-${branch}`, "add", number, { by })),
          transform(id, branches.map((branch) => `${branch}.output.n`).join(" + "), [`${id}-fan`]),
        ],
        number: `${id}.output`,
      };
    }
    case "branch":
      return {
        nodes: [
          {
            id: `${id}-switch`,
            type: "control",
            subtype: "switch",
            condition: `\${${number} > ${stage.limit}}`,
            branches: [{ case: true, target: `${id}-above` }, { default: `${id}-below` }],
          },
          tool(`${id}-above`, "add", number, { by: stage.above }),
          tool(`${id}-below`, "add", number, { by: stage.below }),
          { id, type: "aggregation", subtype: "merge", dependencies: [`${id}-above`, `${id}-below`] },
        ],
        number: `${id}.output.n`,
      };
    case "nap":
      return {
        nodes: [
          {
            id: `${id}-nap`,
            type: "action",
            subtype: "wait",
            params: { duration: `${stage.durationMs}ms` },
            ...after(number),
          },
          transform(id, number, [`${id}-nap`]),
        ],
        number: `${id}.output`,
      };
    case "signals": {
      const nodes: Node[] = [];
      let sum = number;
      for (let index = 0; index < stage.count; index++) {
        const wait = `${id}-${index}-wait`;
        nodes.push({ id: wait, type: "action", subtype: "wait", params: { signal: SIGNAL }, ...after(sum) });
        nodes.push(transform(`${id}-${index}`, `(${sum} * 3 + ${wait}.output.value) % ${MODULUS}`, [wait]));
        sum = `${id}-${index}.output`;
      }
      return { nodes, number: sum };
    }
    case "events": {
      const nodes: Node[] = [];
      let sum = number;
      for (let index = 0; index < stage.count; index++) {
        const wait = `${id}-${index}-wait`;
        const params = { event: EVENT, key: eventKey("${execution.id}", index) };
        nodes.push({ id: wait, type: "action", subtype: "wait", params, ...after(sum) });
        nodes.push(transform(`${id}-${index}`, `(${sum} * 3 + ${wait}.output.payload.value) % ${MODULUS}`, [wait]));
        sum = `${id}-${index}.output`;
      }
      return { nodes, number: sum };
    }
    case "tell": {
      const params = { event: EVENT, key: "${input.key ?? 'nobody'}", payload: { value: "${input.n}" } };
      return {
        nodes: [
          { id: `${id}-emit`, type: "action", subtype: "emit", params, ...after(number) },
          transform(id, number, [`${id}-emit`]),
        ],
        number: `${id}.output`,
      };
    }
    case "incident": {
      // It would never succeed by itself: the person gives it another input, or its output.
      const task = tool(id, "flaky", number, { by: 0, failures: 1_000 });
      return {
        nodes: [{ ...task, retry: { max_attempts: 1 }, on_error: { action: "incident" } }],
        number: `${id}.output.n`,
      };
    }
    case "items": {
      const map = mapOf(id);
      const nodes = [tool(`${id}-add`, "add", number, { by: "${item}" })];
      const output = `\${${id}-add.output.n}`;
      const items = { for_each: stage.by, nodes, output, max_concurrency: 3 };
      return {
        nodes: [
          { id: map, type: "control", subtype: "map", ...items, ...after(number) },
          transform(id, stage.by.map((_, index) => `${map}.output[${index}]`).join(" + "), [map]),
        ],
        number: `${id}.output`,
      };
    }
    case "race": {
      const { workflowId, onParentClose, durationMs } = stage;
      const [child, nap] = [racerOf(id), `${id}-nap`];
      const inputs = { n: `\${${number}}` };
      return {
        nodes: [
          {
            id: `${id}-race`,
            type: "control",
            subtype: "parallel",
            branches: [child, nap],
            wait_all: false,
            cancel_rest: true,
            ...after(number),
          },
          { id: child, type: "sub_workflow", workflow_id: workflowId, inputs, on_parent_close: onParentClose },
          { id: nap, type: "action", subtype: "wait", params: { duration: `${durationMs}ms` } },
          transform(id, number, [`${id}-race`]),
        ],
        number: `${id}.output`,
      };
    }
    case "caught": {
      const nodes = [tool(id, "fail", number, {})];
      if (stage.how === "fallback") {
        const work = tool(`${FALLBACK}-add`, "add", number, { by: stage.by });
        const output = `\${${FALLBACK}-add.output.n}`;
        nodes.push({ id: FALLBACK, type: "control", subtype: "group", nodes: [work], output });
      }
      // What the stage before gave: handlers read it, and the workflow never gets to its own output.
      return { nodes, number };
    }
    case "child":
      return {
        nodes: [{ id, type: "sub_workflow", workflow_id: stage.workflowId, inputs: { n: `\${${number}}` } }],
        number: `${id}.output`,
      };
    case "hold":
      return {
        nodes: [
          { id: `${id}-hold`, type: "action", subtype: "wait", params: { signal: "never" }, ...after(number) },
          transform(id, number, [`${id}-hold`]),
        ],
        number: `${id}.output`,
      };
    case "poison":
      return { nodes: [transform(id, `nodes["start"].output.nobody.knows + ${number}`, [])], number: `${id}.output` };
  }
}

function tool(id: string, name: string, number: string, parameters: object): Node {
  return { id, type: "tool", tool: name, inputs: { n: `\${${number}}`, ...parameters }, retry: RETRY };
}

function transform(id: string, expression: string, dependencies: readonly string[]): Node {
  return { id, type: "action", subtype: "transform", params: { value: `\${${expression}}` }, dependencies };
}

/** Waits for the node that gives the number: without an expression of its own a node would start at once. */
function after(number: string): { dependencies: string[] } {
  return { dependencies: [number.slice(0, number.indexOf("."))] };
}
