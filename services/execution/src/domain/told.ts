import type { Event, ExecutionOrigin, ExecutionState } from "@heddle/engine";

// What an end, or an event on the way, says beside what the engine decided: whoever reacts to it need not have seen the start.

interface ToldOf {
  namespace: string;
  workflowId: string;
  origin?: ExecutionOrigin;
}

type Told = Extract<
  Event,
  { type: "execution_completed" | "execution_failed" | "execution_canceled" | "custom_event_emitted" }
>;

const named = new WeakMap<Told, ToldOf>();

/** Remembers for those of these events that others react to which execution they are of, until they are encoded. */
export function nameExecution(events: readonly Event[], { namespace, workflowId, origin }: ExecutionState): void {
  const execution: ToldOf = { namespace, workflowId, ...(origin !== undefined && { origin }) };
  for (const event of events) if (isTold(event)) named.set(event, execution);
}

/** Empty texts for an event that was read from a journal: what is encoded was decided in this process. */
export function executionOf(event: Told): ToldOf {
  return named.get(event) ?? { namespace: "", workflowId: "" };
}

function isTold(event: Event): event is Told {
  const { type } = event;
  return (
    type === "execution_completed" ||
    type === "execution_failed" ||
    type === "execution_canceled" ||
    type === "custom_event_emitted"
  );
}
