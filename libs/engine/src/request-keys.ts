import type { ExecutionState } from "./execution-state.ts";
import { MAX_REMEMBERED_REQUESTS } from "./limits.ts";

/** Signals and resets are remembered in one list, and are different things under the same id. */
export function resetKey(requestId: string): string {
  return requestId === "" ? "" : `reset/${requestId}`;
}

export function isRepeated({ requestIds }: ExecutionState, key: string): boolean {
  return key !== "" && requestIds.includes(key);
}

export function rememberRequest({ requestIds }: ExecutionState, key: string): void {
  if (key === "") return;
  requestIds.push(key);
  if (requestIds.length > MAX_REMEMBERED_REQUESTS) requestIds.shift();
}
