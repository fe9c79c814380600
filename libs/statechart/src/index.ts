export { activeStates, enabledEvents } from "./describe.ts";
export type { Chart } from "./chart.ts";
export type * from "./chart-document.ts";
export type * from "./commands.ts";
export { decide, type Decision } from "./decide.ts";
export type * from "./events.ts";
export { evolve } from "./evolve.ts";
export * from "./limits.ts";
export { linkChart } from "./link-chart.ts";
export { isOver } from "./machine-state.ts";
export type { Invocation, MachineState, MachineStatus, Message, QueuedEvent, Timer } from "./machine-state.ts";
export {
  type CancellationObligation,
  type InvocationObligation,
  type MachineObligations,
  nextTimerAt,
  obligations,
} from "./obligations.ts";
export { type MigrationPlan, planMigration } from "./plan-migration.ts";
export { decodeMachine, encodeMachine } from "./snapshot.ts";
export { type MachineSubscription, subscriptionsOf } from "./subscriptions.ts";
export type { DecideContext } from "./turn.ts";
