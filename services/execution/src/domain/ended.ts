import type { Event, ExecutionOrigin, ExecutionState } from "@heddle/engine";

/** What an end says beside what the engine decided: whoever reacts to it need not have seen the start. */
interface Ended {
  namespace: string;
  workflowId: string;
  origin?: ExecutionOrigin;
}

type End = Extract<Event, { type: "execution_completed" | "execution_failed" | "execution_canceled" }>;

const named = new WeakMap<End, Ended>();

/** Remembers for the end among these events which execution it is the end of, until it is encoded. */
export function nameWhatEnded(events: readonly Event[], { namespace, workflowId, origin }: ExecutionState): void {
  const ended: Ended = { namespace, workflowId, ...(origin !== undefined && { origin }) };
  for (const event of events) if (isEnd(event)) named.set(event, ended);
}

/** Empty texts for an end that was read from a journal: what is encoded was decided in this process. */
export function whatEnded(event: End): Ended {
  return named.get(event) ?? { namespace: "", workflowId: "" };
}

function isEnd(event: Event): event is End {
  return (
    event.type === "execution_completed" || event.type === "execution_failed" || event.type === "execution_canceled"
  );
}
