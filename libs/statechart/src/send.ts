import { findSizeFault, type Json, toText } from "@heddle/engine";
import type { Scope } from "@heddle/expression";
import { assign } from "./assign.ts";
import type { LinkedAction, LinkedTarget } from "./chart.ts";
import { evaluateDelay } from "./delay.ts";
import { isReserved } from "./event-names.ts";
import type { MessageTarget } from "./events.ts";
import { ChartFault, evaluate } from "./fault.ts";
import { MAX_EVENT_NAME_LENGTH, MAX_QUEUED_EVENTS, MAX_TIMERS, MAX_UNSENT_MESSAGES } from "./limits.ts";
import type { Macrostep } from "./turn.ts";

type Send = LinkedAction & { action: "send" };

/** SCXML 6.2. What goes to others leaves after the commit, and is repeated until they have it. @throws ChartFault */
export function send(step: Macrostep, action: Send, scope: Scope): void {
  const { turn } = step;
  const name = toText(evaluate(action.event, scope));
  checkName(name, action.event.path);
  const data = action.data === undefined ? null : evaluate(action.data, scope);
  const fault = findSizeFault(data, turn.maxPayloadBytes);
  if (fault !== undefined) throw new ChartFault(action.path, `the data of ${name} ${fault}`);
  const number = nextNumber(step);
  const sendId = action.sendId === undefined ? `send.${number}` : toText(evaluate(action.sendId, scope));
  if (action.idLocation !== undefined) assign(step, action.idLocation.split("."), sendId, action.path);

  if (action.target.kind === "internal") return step.raise(name, data);
  if (action.delay !== undefined) {
    if (action.target.kind !== "self") {
      throw new ChartFault(
        action.path,
        "only an event for the machine itself can be delayed; send it from where that event leads",
      );
    }
    const durationMs = evaluateDelay(action.delay, scope);
    if (turn.state.timers.length >= MAX_TIMERS)
      throw new ChartFault(action.path, `there are ${MAX_TIMERS} timers already`);
    turn.step.effects.push({
      type: "timer_set",
      timerId: `send.${number}`,
      dueAt: turn.at + durationMs,
      durationMs,
      policy: action.delay.policy,
      event: name,
      data,
      sendId,
    });
    return;
  }
  if (action.target.kind === "self") {
    if (turn.state.queue.length >= MAX_QUEUED_EVENTS) {
      throw new ChartFault(action.path, `${MAX_QUEUED_EVENTS} events wait already`);
    }
    turn.step.effects.push({ type: "event_sent", name, data, sendId });
    return;
  }
  sendMessage(step, resolveTarget(step, action.target, scope, action.path), name, data, sendId, action.path);
}

/** @throws ChartFault */
export function sendMessage(
  { turn }: Macrostep,
  target: MessageTarget,
  name: string,
  data: Json,
  sendId: string,
  path: string,
): void {
  const waiting = turn.step.effects.filter(({ type }) => type === "message_sent").length;
  if (turn.state.messages.length + waiting >= MAX_UNSENT_MESSAGES) {
    throw new ChartFault(path, `${MAX_UNSENT_MESSAGES} messages wait to be taken already`, "error.communication");
  }
  turn.step.effects.push({
    type: "message_sent",
    messageId: turn.state.nextMessage + waiting,
    target,
    name,
    data,
    sendId,
  });
}

function resolveTarget(step: Macrostep, target: LinkedTarget, scope: Scope, path: string): MessageTarget {
  switch (target.kind) {
    case "invocation": {
      const invokeId = toText(evaluate(target.invokeId, scope));
      const running = step.turn.state.invocations.find(({ id }) => id === invokeId);
      if (running !== undefined) return { kind: "invocation", invokeId, token: running.token };
      throw new ChartFault(path, `no invocation ${invokeId} is running`, "error.communication");
    }
    case "machine": {
      const text = (field: typeof target.key) => (field === undefined ? undefined : toText(evaluate(field, scope)));
      const [machineId, workflowId, key] = [text(target.machineId), text(target.workflowId), text(target.key)];
      return {
        kind: "machine",
        ...(machineId !== undefined && { machineId }),
        ...(workflowId !== undefined && { workflowId }),
        ...(key !== undefined && { key }),
      };
    }
    case "execution":
      return { kind: "execution", executionId: toText(evaluate(target.executionId, scope)) };
    default:
      if (step.turn.state.parent !== undefined) return { kind: "parent" };
      throw new ChartFault(path, "nobody has invoked this machine, so it has no parent", "error.communication");
  }
}

function checkName(name: string, path: string): void {
  if (name === "" || name.length > MAX_EVENT_NAME_LENGTH) {
    throw new ChartFault(path, `the name of an event has 1 to ${MAX_EVENT_NAME_LENGTH} characters, not ${name.length}`);
  }
  if (isReserved(name))
    throw new ChartFault(path, `events named ${name} are made by the machine itself; use another name`);
}

/** Of the next delayed send: one that is set in this step counts already. */
function nextNumber({ turn }: Macrostep): number {
  return (
    turn.state.nextTimer +
    turn.step.effects.filter((effect) => effect.type === "timer_set" && effect.state === undefined).length
  );
}
