import type { FieldCompiler } from "@heddle/engine";
import type { LinkedAction, LinkedTarget } from "./chart.ts";
import type { ChartAction, SendTarget } from "./chart-document.ts";
import { linkDelay } from "./link-delay.ts";

/** Compiles executable content. `path` is where the list stands, for messages. */
export function linkActions(actions: readonly ChartAction[], path: string, compiler: FieldCompiler): LinkedAction[] {
  return actions.map((action, index) => linkAction(action, `${path}[${index}]`, compiler));
}

function linkAction(action: ChartAction, path: string, compiler: FieldCompiler): LinkedAction {
  switch (action.action) {
    case "raise":
      return {
        path,
        action: "raise",
        event: action.event,
        ...(action.data !== undefined && { data: compiler.template(`${path}.data`, action.data) }),
      };
    case "send":
      return {
        path,
        action: "send",
        event: compiler.template(`${path}.event`, action.event),
        target: linkTarget(action.target, path, compiler),
        ...(action.data !== undefined && { data: compiler.template(`${path}.data`, action.data) }),
        ...(action.delay !== undefined && {
          delay: linkDelay(action.delay, action.delayPolicy, `${path}.delay`, "", compiler),
        }),
        ...(action.sendId !== undefined && { sendId: compiler.template(`${path}.id`, action.sendId) }),
        ...(action.idLocation !== undefined && { idLocation: action.idLocation }),
      };
    case "cancel":
      return { path, action: "cancel", sendId: compiler.template(`${path}.id`, action.sendId) };
    case "assign":
      return {
        path,
        action: "assign",
        values: action.values.map(({ location, value }) => ({
          location: location.split("."),
          value: compiler.template(`${path}.${location}`, value),
        })),
      };
    case "log":
      return {
        path,
        action: "log",
        level: action.level,
        message: compiler.template(`${path}.message`, action.message),
      };
    case "if":
      return {
        path,
        action: "if",
        branches: action.branches.map(({ condition, actions }, index) => ({
          condition: compiler.expression(`${path}.${index === 0 ? "if" : `elseif[${index - 1}]`}`, condition),
          actions: linkActions(actions, `${path}.then`, compiler),
        })),
        otherwise: linkActions(action.otherwise, `${path}.else`, compiler),
      };
    case "foreach":
      return {
        path,
        action: "foreach",
        items: compiler.expression(`${path}.foreach`, action.items),
        item: action.item,
        actions: linkActions(action.actions, `${path}.do`, compiler),
        ...(action.index !== undefined && { index: action.index }),
      };
  }
}

function linkTarget(target: SendTarget, path: string, compiler: FieldCompiler): LinkedTarget {
  switch (target.kind) {
    case "self":
    case "internal":
    case "parent":
      return { kind: target.kind };
    case "invocation":
      return { kind: "invocation", invokeId: compiler.template(`${path}.to`, target.invokeId) };
    case "execution":
      return { kind: "execution", executionId: compiler.template(`${path}.to`, target.executionId) };
    case "machine":
      return {
        kind: "machine",
        ...(target.machineId !== undefined && {
          machineId: compiler.template(`${path}.to.machine_id`, target.machineId),
        }),
        ...(target.workflowId !== undefined && {
          workflowId: compiler.template(`${path}.to.workflow_id`, target.workflowId),
        }),
        ...(target.key !== undefined && { key: compiler.template(`${path}.to.key`, target.key) }),
      };
  }
}
