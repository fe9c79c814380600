/** Events that the core itself makes; nobody outside may send them. */
const RESERVED_PREFIXES = ["after.", "done.", "error.", "progress."] as const;

/** SCXML 5.10.1, 3.7: a child of a compound state that is final was entered. */
export function doneStateEvent(stateId: string): string {
  return `done.state.${stateId}`;
}

export function doneInvokeEvent(invokeId: string): string {
  return `done.invoke.${invokeId}`;
}

export function errorInvokeEvent(invokeId: string): string {
  return `error.invoke.${invokeId}`;
}

export function progressInvokeEvent(invokeId: string): string {
  return `progress.invoke.${invokeId}`;
}

/** Of the timer of a delayed transition. */
export function delayEventOf(stateId: string, position: number): string {
  return `after.${stateId}.${position}`;
}

export function isDelayEvent(event: string): boolean {
  return event.startsWith("after.");
}

/** The place of the transition that a timer's event of the state belongs to. */
export function delayPosition(event: string, stateId: string): number {
  return Number(event.slice(`after.${stateId}.`.length));
}

/** SCXML 6.2.4, 6.4: something could not be reached. */
export const ERROR_COMMUNICATION = "error.communication";

export function isReserved(event: string): boolean {
  return RESERVED_PREFIXES.some((prefix) => event.startsWith(prefix));
}
