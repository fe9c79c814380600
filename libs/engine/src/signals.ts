import type { Signal } from "./commands.ts";
import { isFinished } from "./execution-state.ts";
import { MAX_BUFFERED_SIGNALS, MAX_EXECUTION_PAYLOAD_BYTES } from "./limits.ts";
import { deliverSignal, findSignalWaiter } from "./nodes/wait.ts";
import { approximateBytes, findSizeFault } from "./payload-size.ts";
import { executionFinished, limitReached, payloadTooLarge } from "./refusals.ts";
import type { Turn } from "./plan.ts";
import { isRepeated } from "./request-keys.ts";
import { emit } from "./turn.ts";

/** Buffers a signal, and gives it to a wait that is there for it: also while suspended, like any result. */
export function receiveSignal(turn: Turn, signal: Signal, field = "payload"): void {
  const { state } = turn;
  const { name, key, payload, requestId } = signal;
  const { executionId } = turn.context;
  if (isRepeated(state, requestId)) return;
  if (isFinished(state)) throw executionFinished(executionId, state.status, "signal");
  const fault = findSizeFault(payload, turn.maxPayloadBytes);
  if (fault !== undefined) throw payloadTooLarge(field, fault);
  checkSignalRoom(turn, name, key);
  if (state.payloadBytes + approximateBytes(payload) > MAX_EXECUTION_PAYLOAD_BYTES) {
    throw limitReached(executionId, `holds about ${state.payloadBytes} bytes of payloads; send a smaller signal`);
  }
  emit(turn, {
    type: "signal_received",
    at: turn.at,
    name,
    ...(key !== undefined && { key }),
    payload,
    requestId,
  });
  deliverSignal(turn, name, key, payload);
}

/** One that a wait takes at once needs no room. */
export function checkSignalRoom(turn: Turn, name: string, key: string | undefined): void {
  const { state, context } = turn;
  if (state.signals.length < MAX_BUFFERED_SIGNALS || findSignalWaiter(state, name, key) !== undefined) return;
  const fault = `holds ${MAX_BUFFERED_SIGNALS} signals that nothing has waited for yet; it takes no more but those that a node waits for now`;
  throw limitReached(context.executionId, fault);
}
