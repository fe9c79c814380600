import { createRawEventMessage, type EventMessage } from "./event-message.ts";

/** The part of a journal's row that is needed here; that of @heddle/journal fits. */
export interface ForwardedEntry {
  readonly partition: number;
  readonly offset: number;
  readonly records: readonly ForwardedRecord[];
}

export interface ForwardedRecord {
  /** Id of the aggregate. */
  readonly id: string;
  readonly seq: number;
  /** Protobuf bytes of the event. */
  readonly bytes: Uint8Array;
}

/** Where messages go: a bus, an event log, or several of them. */
export interface EventSink {
  publish(batch: readonly EventMessage[]): Promise<void>;
  /** See EventBus; a sink without it wants everything. */
  hasConsumers?(topic: string): boolean;
}

export interface JournalForwarderOptions {
  sinks: readonly EventSink[];
  /** Full name of the protobuf message that the records hold. */
  topic: string;
  /** `ce_source`, e.g. `/heddle/execution`. Positions count per source: give a new journal a new one. */
  source: string;
  /** Attributes that only the event itself knows. Costs a decode per event. */
  describe?(record: ForwardedRecord): { occurredAtMs?: number; traceparent?: string };
}

/**
 * Makes the `publish` function of a journal's publisher: one message per record, id `<aggregate id>/<seq>`, in order.
 * It resolves when every sink has the entries for good, and makes no message when nobody would get it.
 */
export function createJournalForwarder(
  options: JournalForwarderOptions,
): (entries: readonly ForwardedEntry[]) => Promise<void> {
  const { sinks, topic, source, describe } = options;

  return async (entries) => {
    const takers = sinks.filter((sink) => sink.hasConsumers?.(topic) ?? true);
    if (takers.length === 0) return;
    const messages = entries.flatMap(({ partition, offset, records }) =>
      records.map((record, index) =>
        createRawEventMessage(topic, record.bytes, {
          id: `${record.id}/${record.seq}`,
          source,
          key: record.id,
          position: { partition, offset, index },
          ...describe?.(record),
        }),
      ),
    );
    await Promise.all(takers.map((sink) => sink.publish(messages)));
  };
}
