import { THEN } from "./keywords.ts";
import {
  type Schema,
  anyObject,
  choose,
  condition,
  duration,
  flag,
  id,
  list,
  object,
  oneOf,
  oneOrMore,
  ref,
  template,
  text,
  whole,
} from "./parts.ts";
import { STATUS } from "./starts.ts";

const INITIAL: Schema = {
  anyOf: [
    { type: ["string", "array"] },
    object("A state and what is done on the way.", {
      target: oneOrMore("The state.", { type: "string" }),
      actions: ref("actions"),
    }),
  ],
};
const RESUME = oneOf("What becomes of the time while the machine is suspended.", ["absolute", "remaining", "restart"]);

/** Fields of the workflow and of a state that have states inside. */
export const CHART: Record<string, Schema> = {
  initial_state: { description: "The state that is entered first; the first one without it.", ...INITIAL },
  initial: { description: "The same with actions.", ...INITIAL },
  context: anyObject("Data: templates by name."),
  subscribe: oneOrMore("Ends of executions that come as events.", ref("subscription")),
  states: list("The states inside.", ref("state")),
};

const ACTIONS: Record<string, Schema> = {
  log: object(
    "params of log",
    { message: template("The text."), level: oneOf("info without it.", ["debug", "info", "warn", "error"]) },
    ["message"],
  ),
  assign: anyObject("Values by the name of a field of the context."),
  raise: object("params of raise", { event: template("Its name."), data: template("What comes with it.") }, ["event"]),
  send: object(
    "params of send",
    {
      event: template("Its name."),
      data: template("What comes with it."),
      delay: duration("How much later it comes."),
      id: template("What `cancel` knows it by."),
      id_location: text("Field of the context that gets the id."),
      resume: RESUME,
      to: {
        description: "To whom; to the machine itself without it.",
        anyOf: [
          { enum: ["self", "internal", "parent"] },
          object("Somebody else.", {
            invocation: template("Id of an invocation."),
            machine: template("Id of a machine."),
            workflow: template("A state machine, with `key`."),
            key: template("Business key of the machine."),
            execution: template("Id of an execution, which gets a signal."),
          }),
        ],
      },
    },
    ["event"],
  ),
  cancel: object("params of cancel", { id: template("The id of the send.") }, ["id"]),
  if: object(
    "params of if",
    {
      condition: condition("When `then` is done."),
      [THEN]: ref("actions"),
      elif: list(
        "Further branches.",
        object("A branch of elif.", { condition: condition("When it is taken."), [THEN]: ref("actions") }),
      ),
      else: ref("actions"),
    },
    ["condition"],
  ),
  foreach: object(
    "params of foreach",
    {
      items: condition("The list."),
      item: id("Name of the variable."),
      index: id("Name of its number."),
      do: ref("actions"),
    },
    ["items", "item"],
  ),
};

export const CHART_DEFINITIONS: Record<string, Schema> = {
  state: object(
    "A state.",
    {
      name: id("Unique in the machine."),
      description: text("For people."),
      type: oneOf("Usually inferred.", ["atomic", "compound", "parallel", "final", "history"]),
      parallel: flag("All states inside are active together."),
      history: oneOf("It stands for what was active before.", ["shallow", "deep"]),
      ...CHART,
      default: { description: "Of a history: where it leads at first.", ...INITIAL },
      on_enter: ref("actions"),
      on_exit: ref("actions"),
      transitions: list("The first that is enabled is taken.", ref("transition")),
      invoke: oneOrMore("What runs while the state is active.", ref("invocation")),
      output: template("Of a final state: data of its done event."),
    },
    ["name"],
  ),
  transition: object("A way out of a state.", {
    event: oneOrMore("Names of events; `a.b` matches `a.b.c`; `*` all. Without it and `after` it is taken by itself.", {
      type: "string",
    }),
    guard: condition("It is only taken when this gives true."),
    target: oneOrMore("The state that is entered; without it none is left.", { type: "string" }),
    internal: flag("The state itself is not left."),
    actions: ref("actions"),
    after: duration("It is taken after this time in the state."),
    resume: RESUME,
  }),
  actions: {
    description: "What is done, in order.",
    anyOf: [ref("chart_action"), { type: "array", items: ref("chart_action") }],
  },
  chart_action: {
    allOf: choose(
      "type",
      Object.fromEntries(Object.entries(ACTIONS).map(([type, params]) => [type, { properties: { params } }])),
    ),
    ...object(
      "An action.",
      { type: oneOf("What it does.", Object.keys(ACTIONS)), params: anyObject("What it works with.") },
      ["type", "params"],
    ),
  },
  invocation: object(
    "Runs while the state is active; its end is an event.",
    {
      id: id("Events are named after it: `done.invoke.<id>`."),
      workflow: id("A workflow."),
      tool: id("A tool."),
      agent: { description: "An agent.", type: ["string", "object"] },
      machine: id("A state machine."),
      version: whole("Version to take; without it the one that is active then.", 1, 2_147_483_647),
      inputs: template("What it is given."),
      auto_forward: flag("Events for the machine go to it too."),
      finalize: ref("actions"),
      timeout: duration("How long it may take."),
      retry: ref("retry"),
    },
    ["id"],
  ),
  subscription: object(
    "Ends of executions that come as events.",
    {
      workflow: id("Of which workflow."),
      status: STATUS,
      labels: anyObject("Only executions with these labels."),
      event: text("Name of the event."),
    },
    ["workflow"],
  ),
};
