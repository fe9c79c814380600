import { didYouMean } from "@heddle/expression";
import type { CompileDefinitionOptions } from "../options.ts";
import type { Report } from "../report.ts";
import type { ChartDraft, StateDraft, TransitionDraft } from "./draft.ts";
import type { ChartTree } from "./resolve.ts";

/** What is wrong, or looks wrong, with transitions and invocations, one by one. */
export function checkStructure(
  chart: ChartDraft,
  tree: ChartTree,
  options: CompileDefinitionOptions,
  report: Report,
): void {
  checkInvocationIds(chart, report);
  for (const state of chart.states) {
    checkShadows(state, report);
    for (const transition of state.transitions) {
      checkEvents(transition, chart, tree, report);
      checkUseless(transition, report);
    }
    for (const { workflowAt, subscription } of state.subscriptions) {
      if (options.workflowExists?.(subscription.workflowId) !== false) continue;
      const what = `no workflow "${subscription.workflowId}" is published`;
      report.add("unknown-workflow", workflowAt, what, "publish it before this one runs");
    }
    for (const { nameAt, invocation } of state.invocations) {
      if (nameAt === undefined || invocation.name === "") continue;
      const { name } = invocation;
      if (invocation.kind === "tool" && options.knownTools !== undefined && !options.knownTools.has(name)) {
        const { knownTools } = options;
        report.add(
          "unknown-tool",
          nameAt,
          `no tool "${name}" is registered`,
          () => didYouMean(name, knownTools.keys()) ?? "start a worker that offers it",
        );
      } else if (
        invocation.kind === "agent" &&
        invocation.agent === undefined &&
        options.knownAgents?.has(name) === false
      ) {
        report.add(
          "unknown-agent",
          nameAt,
          `no agent "${name}" is registered or declared`,
          "declare it under `agents`, or start a worker that offers it",
        );
      } else if (invocation.kind === "workflow" || invocation.kind === "machine") {
        if (name === chart.id || options.workflowExists?.(name) !== false) continue;
        report.add("unknown-workflow", nameAt, `no workflow "${name}" is published`, "publish it before this one runs");
      }
    }
  }
}

function checkInvocationIds({ states }: ChartDraft, report: Report): void {
  const seen = new Set<string>();
  for (const { at, invocation } of states.flatMap(({ invocations }) => invocations)) {
    if (seen.has(invocation.id))
      report.add("duplicate-id", at, `there are two invocations "${invocation.id}"`, "give one of them another id");
    seen.add(invocation.id);
  }
}

/** A transition behind one that always takes its event first. */
function checkShadows({ transitions }: StateDraft, report: Report): void {
  for (const [index, transition] of transitions.entries()) {
    if (transition.delay !== undefined) continue;
    const before = transitions.slice(0, index).filter((other) => isAlways(other) && other.delay === undefined);
    const events = transition.events.length === 0 ? [""] : transition.events;
    const shadow = before.find((other) => events.every((event) => covers(other, event)));
    if (shadow === undefined) continue;
    const line = report.lineOf(shadow.at.start);
    report.add(
      "shadowed-transition",
      transition.at,
      `this transition can never be taken: the one in line ${line} always is`,
      "put it first, or give the other one a guard",
    );
  }
}

function isAlways({ guard }: TransitionDraft): boolean {
  return guard === undefined || guard.constant === true;
}

function covers({ events }: TransitionDraft, event: string): boolean {
  if (event === "") return events.length === 0;
  const name = event.replace(/(\.\*|\.)$/, "");
  return events.some((other) => {
    const prefix = other.replace(/(\.\*|\.)$/, "");
    return prefix === "*" || name === prefix || name.startsWith(`${prefix}.`);
  });
}

/** Events that only the machine itself makes, and never makes here. */
function checkEvents(
  { events, eventsAt, at }: TransitionDraft,
  chart: ChartDraft,
  tree: ChartTree,
  report: Report,
): void {
  const invocations = chart.states.flatMap((state) => state.invocations.map(({ invocation }) => invocation.id));
  for (const descriptor of events) {
    const name = descriptor.replace(/(\.\*|\.)$/, "");
    const where = eventsAt ?? at;
    const state = /^done\.state\.(.+)$/.exec(name)?.[1];
    const invocation = /^(?:done|error|progress)\.invoke\.(.+)$/.exec(name)?.[1];
    if (state !== undefined && !canBeDone(state, tree, chart)) {
      const index = tree.indices.get(state);
      const why =
        index === undefined ? `there is no state "${state}"` : `the state "${state}" has no final state inside`;
      report.add(
        "never-sent-event",
        where,
        `nothing sends "${descriptor}": ${why}`,
        () =>
          (index === undefined ? didYouMean(state, tree.indices.keys()) : undefined) ??
          "add a state of type final inside of it",
      );
    } else if (invocation !== undefined && !invocations.includes(invocation)) {
      report.add(
        "never-sent-event",
        where,
        `nothing sends "${descriptor}": no invocation is called "${invocation}"`,
        () => didYouMean(invocation, invocations) ?? "name an invocation of this machine",
      );
    }
  }
}

function canBeDone(name: string, tree: ChartTree, chart: ChartDraft): boolean {
  const index = tree.indices.get(name);
  if (index === undefined) return false;
  const children = tree.children[index] ?? [];
  if (chart.states[index]?.kind === "parallel")
    return children.length > 0 && children.every(({ id }) => canBeDone(id, tree, chart));
  return children.some(({ kind }) => kind === "final");
}

function checkUseless({ at, delay, targets, actions, guard, events }: TransitionDraft, report: Report): void {
  if (guard?.constant === false) {
    report.add(
      "never-taken",
      guard.at,
      "this transition is never taken: its guard is always false",
      "remove it, or mend the guard",
    );
  }
  if (targets.length > 0 || actions.length > 0) return;
  if (delay !== undefined)
    report.add("useless-timer", at, "this timer leads nowhere and does nothing", "give it a target or actions");
  else if (events.length === 0)
    report.add("useless-timer", at, "this transition leads nowhere and does nothing", "give it a target or actions");
}
