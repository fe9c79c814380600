import {
  DEFAULT_MAX_CONCURRENCY,
  DEFAULT_MAX_TURNS,
  MAX_ATTEMPTS,
  MAX_BACKOFF,
  MAX_CONCURRENCY,
  MAX_NESTING,
  MAX_QUORUM,
  MAX_TURNS,
} from "../limits.ts";
import {
  type Schema,
  anyObject,
  choose,
  condition,
  duration,
  flag,
  id,
  ids,
  list,
  number,
  object,
  oneOf,
  oneOrMore,
  ref,
  template,
  text,
  whole,
} from "./parts.ts";
import { SCHEDULE, TRIGGER } from "./starts.ts";

const COMMON: Record<string, Schema> = {
  id: id("Unique in the workflow; expressions name the node by it."),
  name: text("For people."),
  description: text("For people."),
  type: text("What the node is."),
  dependencies: ids("Nodes that must be settled before. Those that expressions read are added."),
  depends: text("Instead of `dependencies`: a condition over outcomes, e.g. `a.succeeded || b.failed`."),
  when: condition("The node is skipped when this gives false."),
  join: oneOf("With `all` the node is skipped when a dependency was skipped, with `any` only when none completed.", [
    "all",
    "any",
  ]),
  on_error: {
    description: "What becomes of the node when it has failed for good.",
    anyOf: [
      { enum: ["fail", "skip", "incident"] },
      ref("error_handler"),
      { type: "array", items: ref("error_handler") },
    ],
  },
  compensate: ref(
    "compensation",
    "What undoes the node once it has completed, when the execution fails or is canceled.",
  ),
};

const INPUTS = template("What the node is given; without it what flows into it.");
const VERSION = whole("Version to take; without it the one that is active then.", 1, 2_147_483_647);

const CLOSE = oneOf(
  "What becomes of what it has started when it stops waiting, as the parent ends: it is canceled (without this), ended at once, or goes on.",
  ["cancel", "terminate", "leave"],
);

const ERROR_CLASS = oneOf("technical: something is broken; business: what was asked for cannot be.", [
  "technical",
  "business",
]);

const RETRY_TIMES: Record<string, Schema> = {
  max_attempts: whole("In all; 1 means no retry; 3 without it.", 1, MAX_ATTEMPTS),
  initial_interval: duration("Before the second attempt; 1s without it."),
  backoff: number("Factor between two waits; 2 without it.", 1, MAX_BACKOFF),
  max_interval: duration("The longest wait; 60s without it."),
  jitter: number("Part of a wait that is drawn at random; 0.2 without it.", 0, 1),
  max_elapsed: duration("No attempt begins later than this after the first."),
};

const TASK: Record<string, Schema> = {
  inputs: INPUTS,
  retry: ref("retry", "When an attempt that has failed is repeated."),
  timeout: duration("From start to finish of one attempt."),
  heartbeat_timeout: duration("An attempt that is silent for longer has failed."),
  progress_timeout: duration("An attempt that reports no progress for longer has failed."),
  queue_timeout: duration("An attempt that no worker takes within this time has failed."),
  total_timeout: duration("Of all attempts and the waits between them."),
  priority: whole("0 (first) to 9 (last); without it that of the execution.", 0, 9),
};

const BODY: Record<string, Schema> = {
  subtype: text("Kind of control."),
  nodes: list(
    `The nodes inside. Groups, loops and bodies of maps stand in one another up to ${MAX_NESTING} deep.`,
    ref("node"),
  ),
  output: template("What it gives; without it the outputs of the nodes inside that nothing depends on."),
  timeout: duration("Of everything inside."),
};

function node(what: string, properties: Record<string, Schema>, required: readonly string[] = []): Schema {
  return object(what, { ...COMMON, ...properties }, ["id", "type", ...required]);
}

const params = (name: string): Schema => ({ properties: { params: ref(name) } });

const CONTROL: Record<string, Schema> = {
  switch: node(
    "Chooses one of several branches.",
    {
      subtype: text("Kind of control."),
      condition: condition("What is compared with the cases."),
      branches: list("The first case that matches wins.", ref("branch")),
    },
    ["condition", "branches"],
  ),
  parallel: node(
    "Runs its branches side by side.",
    {
      subtype: text("Kind of control."),
      branches: ids("The nodes that run."),
      wait_all: flag("false: the first branch that completes is enough."),
      need: { description: "How many branches must complete.", type: "integer", minimum: 1 },
      cancel_rest: flag("Stops the others when enough have completed."),
    },
    ["branches"],
  ),
  group: node("Runs the nodes inside as one.", BODY, ["nodes"]),
  loop: node(
    "Runs the nodes inside again and again, one turn after the other.",
    {
      ...BODY,
      for_each: template("A turn for each item of this list."),
      as: id("Name of the item inside; `item` without it."),
      while: condition("Looked at before each turn."),
      until: condition("Looked at after each turn."),
      max_iterations: whole(`The loop fails beyond it; ${DEFAULT_MAX_TURNS} without it.`, 1, MAX_TURNS),
      carry: template("What `loop.carry` is in the first turn."),
      next: template("What it is in the next one, evaluated after each turn."),
      result: template("What a turn gives."),
      collect: flag("The loop gives a list of what its turns gave; the default of `for_each`."),
    },
    ["nodes"],
  ),
  map: node("Runs a workflow, or the nodes inside, for each item of a list, many at once.", {
    subtype: text("Kind of control."),
    for_each: template("The list."),
    range: object(
      "Numbers in place of a list, both included.",
      { from: template("The first."), to: template("The last.") },
      ["from", "to"],
    ),
    as: id("Name of the item in `inputs` and inside; `item` without it."),
    workflow_id: id("The workflow that runs for each item."),
    nodes: list("In place of a workflow: what runs for each item, as an execution of its own.", ref("node")),
    output: template("What its nodes give for an item; without it the outputs of those that nothing depends on."),
    version: VERSION,
    inputs: template("Input of an item's execution; without it an object of the item and its index."),
    max_concurrency: whole(`Items at once; ${DEFAULT_MAX_CONCURRENCY} without it.`, 1, MAX_CONCURRENCY),
    tolerate: {
      description: "How many items may fail: a number, or a part such as `5%`.",
      type: ["integer", "string"],
    },
    until: condition("Looked at after each item, over `items`; true: it completes, and what still runs is canceled."),
    collect: {
      description: "false: it gives numbers instead of the list of outputs, which stay with the items.",
      type: "boolean",
    },
    on_parent_close: CLOSE,
  }),
};

/** Who is to answer, and until when. */
const ASKED: Record<string, Schema> = {
  assignee: template("Who is to answer."),
  groups: template("Whose members may take it: one group, or a list."),
  deadline: duration("A duration, or a time in RFC 3339, after which the next ones are asked."),
};

const NODES: Record<string, Schema> = {
  agent: node(
    "An agent, run by a worker.",
    {
      agent: {
        description: "Name of an agent, or the agent itself: provider, model, prompt, tools, output schema.",
        type: ["string", "object"],
      },
      ...TASK,
    },
    ["agent"],
  ),
  tool: node("A tool, run by a worker.", { tool: id("Name of the tool."), ...TASK }, ["tool"]),
  action: {
    allOf: choose("subtype", {
      set: params("set_params"),
      transform: params("transform_params"),
      log: params("log_params"),
      wait: params("wait_params"),
      fail: params("fail_params"),
      set_attributes: params("set_attributes_params"),
      emit: params("emit_params"),
      break: params("break_params"),
    }),
    ...node(
      "Something that the engine does by itself.",
      {
        subtype: oneOf("What it does.", ["set", "set_attributes", "transform", "log", "wait", "fail", "emit", "break"]),
        params: anyObject("What it works with."),
      },
      ["subtype"],
    ),
  },
  aggregation: node(
    "Makes one value of several.",
    {
      subtype: oneOf("`merge` makes one object, `collect` a list.", ["merge", "collect"]),
      inputs: template("What is aggregated; without it the outputs of the dependencies."),
    },
    ["subtype"],
  ),
  sub_workflow: node(
    "Runs another workflow and waits for it.",
    {
      workflow_id: id("The workflow."),
      version: VERSION,
      inputs: INPUTS,
      detached: flag("true: it completes when the other workflow has started, which is nobody's then."),
      on_parent_close: CLOSE,
    },
    ["workflow_id"],
  ),
  state_machine: node(
    "Creates a state machine and waits until it has reached a final state.",
    {
      workflow_id: id("The state machine."),
      version: VERSION,
      key: template("Its business key."),
      context: template("Fields of its context."),
      events: list(
        "What it is sent at once, in order.",
        object("An event.", { event: text("Its name."), data: template("What comes with it.") }, ["event"]),
      ),
    },
    ["workflow_id"],
  ),
  human: node(
    "Asks people, and waits for their answer.",
    {
      title: template("What is asked, in a line."),
      ...ASKED,
      form: anyObject("JSON Schema (2020-12) that an answer must fit."),
      data: template("What is shown to whoever answers."),
      proposed: template("Values that whoever answers may mend."),
      priority: whole("0 (first) to 9 (last); the execution's without it.", 0, 9),
      escalation: list("Who is asked next, each when the deadline before has passed.", object("A step.", ASKED)),
      default: template(
        "The answer when the last deadline has passed; without it the node fails with `deadline_exceeded`.",
      ),
      quorum: object(
        "Several people answer, each once.",
        {
          of: whole("How many may answer.", 1, MAX_QUORUM),
          rule: {
            description: "How many must have answered, or agree on `field`: all, any, majority, or a number.",
            anyOf: [{ enum: ["all", "any", "majority"] }, { type: "integer", minimum: 1, maximum: MAX_QUORUM }],
          },
          field: id("The field of the answer that they must agree on."),
        },
        ["of"],
      ),
    },
    ["title"],
  ),
  trigger: {
    allOf: [
      ...choose("subtype", { cron: { properties: { params: object("The schedule.", SCHEDULE) } } }),
      ...choose("subtype", { event: { properties: { params: object("The trigger.", TRIGGER) } } }),
    ],
    ...node(
      "A way in, drawn as a node.",
      {
        subtype: oneOf("What starts the workflow.", ["manual", "cron", "event", "webhook"]),
        params: anyObject("When it does."),
      },
      ["subtype"],
    ),
  },
};

/** Everything that stands under `nodes`. */
export const NODE_DEFINITIONS: Record<string, Schema> = {
  node: {
    type: "object",
    required: ["id", "type"],
    properties: { type: { enum: [...Object.keys(NODES), "control"] } },
    allOf: [
      ...choose("type", Object.fromEntries(Object.keys(NODES).map((type) => [type, ref(`${type}_node`)]))),
      ...choose("type", {
        control: {
          required: ["subtype"],
          properties: { subtype: { enum: Object.keys(CONTROL) } },
          allOf: choose(
            "subtype",
            Object.fromEntries(Object.keys(CONTROL).map((subtype) => [subtype, ref(`${subtype}_node`)])),
          ),
        },
      }),
    ],
  },
  ...Object.fromEntries(Object.entries({ ...NODES, ...CONTROL }).map(([type, schema]) => [`${type}_node`, schema])),
  error_handler: object("What becomes of a failure that matches.", {
    type: oneOrMore("Types of failures that it is for; without it all.", { type: "string" }),
    class: ERROR_CLASS,
    when: condition("Over `error`: type, message, node, class, retryable, details."),
    action: oneOf("The node fails, counts as skipped, or waits for a person.", ["fail", "skip", "incident"]),
    continue: template("The node has completed, with this output."),
    fallback: id("The node that runs in its place."),
  }),
  workflow_error_handler: object("What becomes of a failure of the whole workflow that matches.", {
    type: oneOrMore("Types of failures that it is for; without it all.", { type: "string" }),
    class: ERROR_CLASS,
    when: condition("Over `error`: type, message, node, class, retryable, details."),
    action: oneOf("It fails, as without a handler.", ["fail"]),
    fail: object("It fails with this failure; what is not said is as it was.", {
      type: template("For programs."),
      message: template("For people."),
      class: ERROR_CLASS,
      details: template("Whatever belongs to it."),
    }),
    continue: template("It completes, with this output."),
    fallback: id("The node that runs in the place of everything; its output is the workflow's."),
  }),
  compensation: object("What undoes a node: a tool, an agent, a sub-workflow or an action, without id.", {
    type: oneOf("May be left out.", ["tool", "agent", "sub_workflow", "action"]),
    tool: id("Name of the tool."),
    agent: { description: "Name of an agent, or the agent itself.", type: ["string", "object"] },
    workflow_id: id("The workflow."),
    version: VERSION,
    subtype: oneOf("What the action does.", ["set", "log", "emit"]),
    params: anyObject("What the action works with."),
    ...TASK,
    inputs: template("Made when the node completes, with its output as `current`; without it that output."),
  }),
  branch: object("A case and what it leads to, or the default.", {
    case: { description: "A value, or an expression that gives true.", type: ["string", "number", "boolean"] },
    target: oneOrMore("The node that runs, or several.", { type: "string" }),
    default: oneOrMore("The node that runs when no case matches, or several.", { type: "string" }),
  }),
  retry: object("When an attempt that has failed is repeated.", {
    ...RETRY_TIMES,
    non_retryable: list("Types of errors that are final at once.", { type: "string" }),
    rules: list("The first that matches a failure stands for the policy.", ref("retry_rule")),
  }),
  retry_rule: object("How failures of one kind are retried; what it does not say is as in the policy.", {
    on: oneOrMore("Types of failures that it is for.", { type: "string" }),
    class: ERROR_CLASS,
    when: condition("Over `error`: type, message, node, class, retryable, details."),
    ...RETRY_TIMES,
  }),
  set_params: { type: ["object", "null"] },
  set_attributes_params: anyObject("Values by name: texts, numbers, booleans, lists of texts, or null."),
  transform_params: object("params of transform", { value: template("What the action gives.") }, ["value"]),
  log_params: object(
    "params of log",
    { message: template("The text."), level: oneOf("info without it.", ["debug", "info", "warn", "error"]) },
    ["message"],
  ),
  wait_params: object("params of wait", {
    duration: duration("How long; of a signal, how long at most."),
    until: text("A time, RFC 3339."),
    signal: id("The name of a signal."),
    event: id("The name of an event that another execution emits."),
    key: template("Only signals or events with this key count."),
    filter: condition("Over `event`: only events for which it gives true count."),
    on_timeout: oneOf("When the time is over before the signal or event: fail without it.", ["fail", "continue"]),
  }),
  fail_params: object(
    "params of fail",
    {
      message: template("Why."),
      type: template("The type of the failure."),
      class: ERROR_CLASS,
      details: template("Further data, for handlers."),
    },
    ["message"],
  ),
  emit_params: object(
    "params of emit",
    {
      event: id("The name of the event."),
      key: template("What it is about."),
      payload: template("What comes with it."),
    },
    ["event"],
  ),
  break_params: object("params of break", { value: template("The output of the loop.") }),
};
