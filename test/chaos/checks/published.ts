import { toJson } from "@bufbuild/protobuf";
import { ExecutionEventSchema, type ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { PublishedEvent, RunRecord } from "../record/run-record.ts";
import type { Check } from "./check.ts";

export const allPublished: Check = {
  id: "all-published",
  promise: 4,
  claim: "committed events were published, as they are",
  run(record, look) {
    if (record.published === undefined) return;
    const published = Map.groupBy(record.published, ({ id }) => id);
    for (const [id, history] of record.histories) {
      for (const event of history) {
        const copies = published.get(`${id}/${event.seq}`);
        if (copies === undefined) look(`${id}/${event.seq} (${event.event.case}) was not published`);
        else {
          const expected = contentOf(event);
          const isSame = copies.every((copy) => contentOf(copy.event) === expected);
          look(isSame ? undefined : `${id}/${event.seq} was published as something else`);
        }
      }
    }
  },
};

export const onlyCommitted: Check = {
  id: "only-committed",
  promise: 4,
  claim: "published events are committed, under their own key and id",
  run({ published = [], histories }, look) {
    for (const { id, key, event } of published) {
      const isCommitted = Number(event.seq) <= (histories.get(event.executionId)?.length ?? 0);
      const isNamed = id === `${event.executionId}/${event.seq}` && key === event.executionId;
      if (!isNamed) look(`${event.executionId}/${event.seq} has the id ${id} and the key ${key}`);
      else look(isCommitted ? undefined : `${id} was published and is in no history`);
    }
  },
};

export const publishedInOrder: Check = {
  id: "published-in-order",
  promise: 4,
  claim: "executions were published in order, without gaps",
  run({ published = [] }, look) {
    for (const [id, events] of Map.groupBy(published, ({ event }) => event.executionId)) {
      look(describeDisorder(id, events));
    }
  },
};

/** A copy of what was there before may come again; what is new must be the next one. */
function describeDisorder(id: string, events: readonly PublishedEvent[]): string | undefined {
  const partitions = new Set(events.map(({ partition }) => partition));
  if (partitions.size > 1) return `${id} is in the partitions ${[...partitions].join(" and ")}`;
  let last = 0;
  for (const { event } of events) {
    const seq = Number(event.seq);
    if (seq > last + 1) return `${id}: ${seq} was published after ${last}`;
    last = Math.max(last, seq);
  }
  return undefined;
}

/** Fields of maps have no order of their own. */
function contentOf(event: ExecutionEvent): string {
  return JSON.stringify(toJson(ExecutionEventSchema, event), (_name, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** How many events were published more than once, for the report. */
export function countDuplicates({ published = [] }: RunRecord): number {
  return published.length - new Set(published.map(({ id }) => id)).size;
}
