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
  const { state } = JSON.parse(text) as { state: ExecutionState };
  if (state.activeItems === undefined) countItems(state);
  return state;
}

/** Snapshots did not say how many items run. */
function countItems(state: ExecutionState): void {
  const running = state.nodes.reduce((sum, { map }) => sum + (map?.active.length ?? 0), 0);
  if (running > 0) state.activeItems = running;
}
