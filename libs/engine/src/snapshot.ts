import type { ExecutionState } from "./execution-state.ts";
import { replayDiverged } from "./refusals.ts";

const FORMAT = "heddle.state/1";
const PREFIX = `{"format":"${FORMAT}","state":`;

/** A state as JSON text. At most about six times MAX_EXECUTION_PAYLOAD_BYTES long. */
export function encodeState(state: ExecutionState): string {
  return `${PREFIX}${JSON.stringify(state)}}`;
}

/**
 * The state that `encodeState` was given.
 * @throws DomainError REPLAY_DIVERGED when the text is not a snapshot of this format; rebuild the state from its events then
 */
export function decodeState(text: string): ExecutionState {
  if (!text.startsWith(PREFIX)) {
    throw replayDiverged(`the snapshot is not of the format ${FORMAT}; rebuild the state from its events`);
  }
  const snapshot = JSON.parse(text) as { state: ExecutionState };
  return snapshot.state;
}
