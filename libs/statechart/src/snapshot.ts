import type { MachineState } from "./machine-state.ts";
import { replayDiverged } from "./refusals.ts";

const FORMAT = "heddle.machine/1";
const PREFIX = `{"format":"${FORMAT}","state":`;

/** A state as JSON text. */
export function encodeMachine(state: MachineState): string {
  return `${PREFIX}${JSON.stringify(state)}}`;
}

/**
 * The state that `encodeMachine` was given.
 * @throws DomainError REPLAY_DIVERGED when the text is not a snapshot of this format; rebuild the state from its events then
 */
export function decodeMachine(text: string): MachineState {
  if (!text.startsWith(PREFIX)) {
    throw replayDiverged(`the snapshot is not of the format ${FORMAT}; rebuild the state from its events`);
  }
  return (JSON.parse(text) as { state: MachineState }).state;
}
