import { cutText, describeType, type JsonObject, setField, toText } from "@heddle/engine";
import { assign } from "./assign.ts";
import type { LinkedAction } from "./chart.ts";
import { ChartFault, EndlessMacrostep, evaluate, raiseFault } from "./fault.ts";
import { MAX_ACTIONS, MAX_FOREACH_ITEMS, MAX_LOG_MESSAGE_LENGTH } from "./limits.ts";
import { createScope, type Locals } from "./scope.ts";
import { send } from "./send.ts";
import type { Macrostep } from "./turn.ts";

/** Executes a block of actions: an error ends it and raises `error.execution`. SCXML 3.8, 4. */
export function executeBlock(step: Macrostep, actions: readonly LinkedAction[]): void {
  if (actions.length === 0) return;
  try {
    executeAll(step, actions, undefined);
  } catch (fault) {
    raiseFault(step.turn, step.raise, fault);
  }
}

/** @throws ChartFault */
function executeAll(step: Macrostep, actions: readonly LinkedAction[], locals: Locals | undefined): void {
  for (const action of actions) {
    step.actions += 1;
    if (step.actions > MAX_ACTIONS) {
      throw new EndlessMacrostep(
        "limit",
        `one event takes more than ${MAX_ACTIONS} actions; the last was ${action.path}`,
      );
    }
    execute(step, action, locals);
  }
}

function execute(step: Macrostep, action: LinkedAction, locals: Locals | undefined): void {
  const scope = createScope(step.turn, step.event, locals);
  switch (action.action) {
    case "raise":
      step.raise(action.event, action.data === undefined ? null : evaluate(action.data, scope));
      return;
    case "send":
      return send(step, action, scope);
    case "cancel": {
      const sendId = toText(evaluate(action.sendId, scope));
      for (const timer of pendingTimers(step)) {
        if (timer.sendId === sendId) step.turn.step.effects.push({ type: "timer_canceled", timerId: timer.timerId });
      }
      return;
    }
    case "assign":
      for (const { location, value } of action.values) {
        assign(step, location, evaluate(value, createScope(step.turn, step.event, locals)), action.path);
      }
      return;
    case "log": {
      const message = cutText(toText(evaluate(action.message, scope)), MAX_LOG_MESSAGE_LENGTH);
      step.turn.step.effects.push({ type: "logged", level: action.level, message });
      return;
    }
    case "if": {
      const taken = action.branches.find(({ condition }) => evaluate(condition, scope) === true);
      return executeAll(step, taken?.actions ?? action.otherwise, locals);
    }
    case "foreach":
      return repeat(step, action, locals);
  }
}

/** SCXML 4.6: over a copy, so that the loop may change what it goes through. */
function repeat(step: Macrostep, action: LinkedAction & { action: "foreach" }, locals: Locals | undefined): void {
  const items = evaluate(action.items, createScope(step.turn, step.event, locals));
  if (!Array.isArray(items)) {
    throw new ChartFault(action.items.path, `a list is needed to go through, not ${describeType(items)}`);
  }
  if (items.length > MAX_FOREACH_ITEMS) {
    throw new ChartFault(action.items.path, `the list has ${items.length} elements; ${MAX_FOREACH_ITEMS} are allowed`);
  }
  for (const [index, item] of items.slice().entries()) {
    const values: JsonObject = {};
    setField(values, action.item, item);
    if (action.index !== undefined) setField(values, action.index, index);
    executeAll(step, action.actions, { values, outer: locals });
  }
}

/** Those of the state, with what the step under way has set and canceled. */
function pendingTimers(step: Macrostep): { timerId: string; sendId?: string }[] {
  const { state, step: current } = step.turn;
  let timers: { timerId: string; sendId?: string }[] = state.timers.map(({ id, sendId }) => ({ timerId: id, sendId }));
  for (const effect of current.effects) {
    if (effect.type === "timer_set") timers.push(effect);
    else if (effect.type === "timer_canceled") timers = timers.filter(({ timerId }) => timerId !== effect.timerId);
  }
  return timers;
}
