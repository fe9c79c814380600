export { findAttributesFault } from "./attributes.ts";
export type { AttributeValue, Attributes } from "./attributes.ts";
export { awaitsChild } from "./awaits-child.ts";
export { findClosePolicy } from "./close-policy.ts";
export type * from "./commands.ts";
export { decide } from "./decide.ts";
export type { Decision } from "./decide.ts";
export { nextTimerAt } from "./drive.ts";
export { parseDuration } from "./duration.ts";
export type * from "./error-document.ts";
export type * from "./events.ts";
export { evolve } from "./evolve.ts";
export { isIncident, listOpenIncidents } from "./incident.ts";
export type { OpenIncident } from "./open-incident.ts";
export { listTurns } from "./list-turns.ts";
export type { TurnNumber } from "./list-turns.ts";
export { isFinished } from "./execution-state.ts";
export type { BufferedSignal, ExecutionState } from "./execution-state.ts";
export { findEventWait, listEventWaits } from "./bus-events.ts";
export type { EventWait } from "./bus-events.ts";
export type { UpdateState } from "./execution-state.ts";
export type * from "./interaction-document.ts";
export { BUILT_IN_QUERIES, answerQuery } from "./queries.ts";
export { findUpdateOutcome } from "./updates.ts";
export type { UpdateOutcome } from "./updates.ts";
export { listChanges } from "./changed-paths.ts";
export type { Change } from "./changed-paths.ts";
export { boundFailure, coreFailure, cutText } from "./failure.ts";
export type { CoreFailureType } from "./failure.ts";
export { createFieldCompiler } from "./field.ts";
export type { Field, FieldCompiler, FieldFault } from "./field.ts";
export type * from "./human-commands.ts";
export type * from "./human-events.ts";
export { humanTaskNotFound } from "./human-refusals.ts";
export { currentHumanTask, executionOfHumanTask, findHumanTask, humanTaskId } from "./find-human-task.ts";
export type { HumanAnswer, HumanComment, HumanTaskState, HumanTaskStatus } from "./human-task.ts";
export { describeType, findField, isObject, setField, toText } from "./json-object.ts";
export type * from "./json.ts";
export { itemCountsOf } from "./item-counts.ts";
export { countItems } from "./map-items.ts";
export type { ItemCounts, MapItems } from "./map-items.ts";
export * from "./limits.ts";
export { linkPlan } from "./link-plan.ts";
export type { ChildCancellation } from "./child-cancellations.ts";
export { machineInputToJson } from "./machine-input.ts";
export { obligations, obligationsOf } from "./obligations.ts";
export type {
  ChildObligation,
  MachineCancellation,
  MachineObligation,
  ObligationChanges,
  Obligations,
  TaskCancellation,
  TaskObligation,
} from "./obligations.ts";
export type { DecideContext, LinkedNode, Plan } from "./plan.ts";
export type * from "./plan-document.ts";
export type * from "./plan-node.ts";
export { planRerun } from "./rerun.ts";
export type { RerunPlan, RerunSelection, RerunSource, RerunTarget } from "./rerun.ts";
export { describeReset } from "./reset.ts";
export { foreseeRerun, foreseeReset } from "./foresee.ts";
export type { ItemsForecast, NodeForecast } from "./foresee.ts";
export type { NodeVerdict, RunReason } from "./run-again.ts";
export { isSameJson } from "./same-json.ts";
export { approximateBytes, findSizeFault } from "./payload-size.ts";
export { decodeState, encodeState } from "./snapshot.ts";
export type * from "./state.ts";
export { countNodes, listNodes } from "./summary.ts";
export type { NodeSummary } from "./summary.ts";
export { formatTimestamp, parseTimestamp } from "./timestamp.ts";
