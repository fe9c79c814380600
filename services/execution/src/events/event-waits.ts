import type { BusEvent, EventWait } from "@heddle/engine";
import { atHome, DomainError } from "@heddle/errors";
import type { JournalRuntime } from "@heddle/journal";
import type { Database } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import { deleteEventWaitsBefore, deleteEventWaitsOf, insertEventWait } from "../store/event-waits.ts";
import { listRecentEvents } from "../store/recent-events.ts";
import type { Execution, ExecutionCommand } from "../domain/aggregate.ts";
import { createDeliveries } from "../domain/deliveries.ts";
import { recentEventsPage } from "../domain/limits.ts";

/** The subscriptions of nodes that wait for events of other executions. */
export interface EventWaits {
  /** An execution has started, or was recovered, that may wait for events: what is emitted from now on counts for it. */
  expect(): void;
  /**
   * The node waits: whoever hears events can know it from now on. Idempotent; goes on trying until it is known and the node has been
   * offered what had come before.
   */
  begin(executionId: string, execution: Execution, wait: EventWait): void;
  /** The node does not wait any more in runs before this one. It may wait already in this one. */
  endBefore(executionId: string, wait: Pick<EventWait, "nodeId" | "run">): void;
  /** No node of the execution waits any more, or ever will. */
  endAll(executionId: string): void;
  stop(): void;
}

export interface EventWaitsOptions {
  runtime(): JournalRuntime<Execution, ExecutionCommand>;
  database: Database;
  /** An execution may wait for events: they must be listened to from now on. */
  onExpected(): void;
  logger: Logger;
}

export function createEventWaits({ runtime, database, onExpected, logger }: EventWaitsOptions): EventWaits {
  const deliveries = createDeliveries(logger);

  /** @returns whether the node still waits */
  const offer = async (executionId: string, { nodeId, run }: EventWait, event: BusEvent): Promise<boolean> => {
    try {
      await atHome(runtime().submit(executionId, { type: "deliver_event", nodeId, run, event }));
      return true;
    } catch (error) {
      if (error instanceof DomainError && isOver(error)) return false;
      throw error;
    }
  };

  const subscribe = async (executionId: string, execution: Execution, wait: EventWait): Promise<void> => {
    const { namespace, startedAt } = execution.state;
    // In this order: an event is stored before its waits are looked up, so one of both sees the other.
    await insertEventWait(database, namespace, executionId, wait);
    const page = { since: new Date(startedAt), limit: recentEventsPage };
    for (let after: BusEvent | undefined; ; ) {
      const events = await listRecentEvents(database, namespace, wait, { ...page, ...(after && { after }) });
      for (const event of events) if (!(await offer(executionId, wait, event))) return;
      after = events.at(-1);
      if (events.length < recentEventsPage) return;
    }
  };

  return {
    expect: onExpected,
    begin(executionId, execution, wait) {
      const { nodeId, run } = wait;
      deliveries.repeat(`subscribe ${executionId}/${nodeId}/${run}`, () => subscribe(executionId, execution, wait));
    },
    endBefore(executionId, { nodeId, run }) {
      deliveries.repeat(`unsubscribe ${executionId}/${nodeId}/${run}`, () =>
        deleteEventWaitsBefore(database, { executionId, nodeId, run }),
      );
    },
    endAll(executionId) {
      deliveries.repeat(`unsubscribe ${executionId}`, () => deleteEventWaitsOf(database, executionId));
    },
    stop: () => deliveries.stop(),
  };
}

/** The node has what it has waited for, or waits no more. */
export function isOver({ reason }: DomainError): boolean {
  return reason === "EVENT_NOT_AWAITED" || reason === "EXECUTION_FINISHED" || reason === "EXECUTION_NOT_FOUND";
}
