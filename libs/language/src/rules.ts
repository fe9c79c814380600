/** One thing that is checked. `docs/rules.md` is this table in prose; a test keeps the two together. */
export interface Rule {
  /** Stable for ever; an id is never used again for something else. */
  id: string;
  severity: "error" | "warning";
  /** What is wrong, in general. */
  summary: string;
}

const error = (id: string, summary: string): Rule => ({ id, severity: "error", summary });
const warning = (id: string, summary: string): Rule => ({ id, severity: "warning", summary });

export const RULES = {
  // The file.
  syntax: error("HD001", "The file is not YAML or JSON."),
  "too-large": error("HD002", "The file is larger than 1 MB, or made of more than 600,000 tokens."),
  "too-deep": error("HD003", "Lists and objects are nested more than 100 deep."),
  "too-many-values": error(
    "HD004",
    "The file stands for more than 400,000 values, every alias counted as what it stands for.",
  ),
  "duplicate-key": error("HD005", "A field is given twice in the same object."),
  "forbidden-key": error("HD006", "A field is called `__proto__`."),
  "key-not-text": error("HD007", "The name of a field is a number, true, false, null or a collection."),
  "multiple-documents": error("HD008", "The file has more than one YAML document."),
  "bad-encoding": error("HD009", "The file is not UTF-8."),
  "unsupported-tag": error("HD010", "A value has a YAML tag of its own."),
  "not-json": error("HD011", "A number is infinite or not a number, which JSON cannot hold."),
  "bad-alias": error(
    "HD012",
    "An alias or a merge names an anchor that is not there, or that contains the alias itself.",
  ),

  // Fields.
  "missing-field": error("HD101", "A field that is required is not there."),
  "unknown-field": error("HD102", "A field does not exist on this kind of object."),
  "wrong-type": error("HD103", "A value has the wrong type."),
  "unknown-value": error("HD104", "A value is none of those that are allowed here."),
  "bad-id": error("HD105", "An id has characters that are not allowed, is too long, or is a reserved name."),
  "out-of-range": error("HD106", "A number, text or list is smaller or larger than allowed."),
  "bad-duration": error("HD107", "A duration cannot be read."),
  "too-many-nodes": error("HD109", "The workflow has more than 5,000 nodes."),
  "bad-schema": error("HD110", "A JSON Schema is not valid."),
  "conflicting-fields": error("HD111", "Two fields are given that exclude each other."),
  "bad-schedule": error("HD112", "The times of a schedule cannot be read, or cannot be kept."),
  "unavailable-trigger": error("HD113", "A trigger waits for something that cannot start a workflow yet."),

  // The graph.
  "duplicate-id": error(
    "HD201",
    "Two nodes, agents, schedules, triggers, updates or queries have the same id or name.",
  ),
  "unknown-node": error("HD202", "A node is named that does not exist."),
  "self-dependency": error("HD203", "A node depends on itself, or activates itself."),
  cycle: error("HD204", "Nodes wait for one another in a circle."),
  "unreachable-node": error("HD205", "A node can never run."),
  "exclusive-join": error("HD206", "A node needs several branches of one switch, of which only one is ever chosen."),
  "circular-reference": error("HD207", "An expression reads the output of a node that runs later."),
  "shared-branch": error("HD208", "A node is a branch of two parallels."),
  "duplicate-target": error("HD209", "The same node is named twice in one list."),
  "no-branches": error("HD210", "A switch, parallel or aggregation has nothing to choose, start or aggregate."),
  "duplicate-case": error("HD211", "A switch has the same case, or a default, twice."),
  "missing-default": warning(
    "HD212",
    "A switch has no default: a value that matches no case skips all of its branches.",
  ),
  "constant-condition": warning("HD213", "A condition is always the same."),
  "trigger-loop": warning("HD214", "A trigger starts a workflow whenever that workflow itself ends."),
  "other-body": error(
    "HD215",
    "A node names a node that is not in the same body: of the workflow, or of the same group, loop or map.",
  ),
  "outside-loop": error("HD216", "A `break` stands in no loop."),
  "unbounded-loop": error("HD217", "A loop has neither `for_each`, `while` nor `until`, and no `break` inside."),
  "bad-fallback": error("HD218", "A fallback is also a branch or a target: it could not be told why it runs."),
  "depends-never": error("HD219", "A `depends` can never hold."),
  "bad-depends": error("HD220", "A `depends` cannot be read."),
  "nested-too-deep": error("HD221", "Groups, loops and bodies of maps are nested more than 20 deep."),
  "unlimited-rule": error("HD260", "A retry rule does not say which errors it is about."),
  "useless-timeout": warning("HD261", "A time-out can never pass, because another one passes before."),
  "bad-attributes": error("HD262", "Search attributes have a name or a value that cannot be searched for."),

  // Waits, updates and queries.
  "useless-wait-field": error("HD240", "A field of a wait has no effect without another one."),
  "useless-update-field": error("HD241", "A field of an update has no effect without another one."),
  "after-in-loop": error("HD242", "The reply of an update waits for a node of a loop, which ends once in each turn."),
  "taken-query": error("HD243", "A query has the name of one that every execution answers."),

  // Human nodes.
  "missing-deadline": error("HD250", "An escalation or a default answer can never come, as no deadline leads to it."),
  "bad-quorum": error("HD251", "A quorum needs more answers than may come, or a field that the form does not have."),
  "bad-default-answer": error("HD252", "The default answer of a human node does not fit its form."),

  // Bodies of maps.
  "shadowed-id": error(
    "HD280",
    "A node has the name of the items of a loop or map, or one in the body of a map the id of a node around the map, or `index`.",
  ),
  "trigger-in-map": error("HD281", "A trigger stands in the body of a map."),
  "long-item-workflow": error(
    "HD282",
    "The ids of a workflow and of the maps around a body are too long together to name what the items run.",
  ),
  "useless-map-field": error("HD283", "A field of a map has no effect without `nodes`, or beside them."),

  // Endings.
  "duplicate-compensation": error("HD230", "A node would be undone twice."),
  "bad-compensation": error(
    "HD231",
    "A `compensate` stands where nothing can be undone, or is something that cannot undo.",
  ),

  "bad-workflow-fallback": error(
    "HD234",
    "A node that runs in the place of the whole workflow is tied to other nodes.",
  ),
  "unreachable-handler": warning(
    "HD235",
    "A handler of the workflow is never asked, because one before it matches every failure.",
  ),

  // Children.
  "useless-close-policy": error("HD270", "It is said what becomes of a child with its parent, and the child has none."),

  // Expressions.
  "expression-syntax": error("HD301", "An expression cannot be read."),
  "unknown-name": error("HD302", "An expression reads a name that cannot exist."),
  "unknown-input": error("HD303", "An expression reads a field of the input that the input's schema does not have."),
  "unknown-member": error(
    "HD304",
    "An expression reads a field of a node, execution, event or schedule that these do not have.",
  ),
  "expression-limit": error("HD305", "An expression is longer or deeper than allowed."),
  "not-evaluated": error("HD306", "An expression stands where none is evaluated."),
  "undeclared-input": warning(
    "HD307",
    "An expression reads a field of the input that the input's schema allows but does not name.",
  ),

  // What the workflow uses.
  "unknown-tool": warning("HD401", "No tool of this name is registered."),
  "unknown-agent": warning("HD402", "No agent of this name is registered or declared in the definition."),
  "unknown-workflow": warning("HD403", "No workflow of this id is published."),
  "bad-tool-inputs": error("HD404", "The inputs of a tool do not fit its JSON Schema."),
  "bad-start-input": error(
    "HD405",
    "The input that a schedule or trigger gives does not fit the schema of the workflow's input.",
  ),

  // State machines.
  "unknown-state": error("HD501", "A state is named that does not exist."),
  "bad-state": error("HD502", "A state has fields that its kind cannot have, or lacks those that it needs."),
  "bad-initial": error("HD503", "An initial state, or the default of a history, is not inside of its state."),
  "targets-exclude": error("HD504", "A transition has several targets in which nothing can be at once."),
  "too-many-states": error("HD505", "The machine has more than 2,000 states."),
  "endless-loop": error("HD506", "Eventless transitions run in a circle that never waits."),
  "unreachable-state": warning("HD507", "Nothing leads to a state."),
  "dead-end": warning("HD508", "Nothing leads out of a state that is not final."),
  "no-end": warning("HD509", "No final state can be reached from a state, although the machine has one."),
  "shadowed-transition": warning("HD510", "A transition can never be taken, because one before it always is."),
  "never-taken": warning("HD511", "A transition can never be taken, because its guard is always false."),
  "never-sent-event": warning("HD512", "A transition waits for an event that nothing sends."),
  "useless-timer": warning("HD513", "A transition has neither a target nor actions."),
} satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;
