import type { CommittedTurn } from "@heddle/journal";
import type { Hub, RequestIds } from "@heddle/journal-service";
import type { MachineEvent } from "@heddle/statechart";
import type { Outbox } from "../obligations/outbox.ts";
import type { Machine, MachineCommand } from "./aggregate.ts";
import { startKeyOf } from "./keys.ts";

export interface TurnEffectsOptions {
  hub: Hub;
  requestIds: Pick<RequestIds, "add">;
  outbox: Pick<Outbox, "update" | "recover">;
  /** There is a machine whose definition subscribes to executions. */
  onSubscribing(): void;
}

/** What must happen outside after a commit. Everything here is derived from committed state, so a crash forgets nothing. */
export interface TurnEffects {
  committed(turns: readonly CommittedTurn<Machine, MachineCommand, MachineEvent>[]): void;
  /** After recovery: everything that the machines of a partition ask for. */
  recovered(machines: Iterable<[id: string, machine: Machine]>): void;
}

export function createTurnEffects({ hub, requestIds, outbox, onSubscribing }: TurnEffectsOptions): TurnEffects {
  const remember = (id: string, { state }: Machine): void => {
    const start = startKeyOf(state);
    if (start !== undefined) requestIds.add(start.scope, start.key, id);
  };

  return {
    committed(turns) {
      for (const { id, state: machine, events } of turns) {
        if (events[0]?.type === "machine_created") remember(id, machine);
        if (machine.chart.subscribes) onSubscribing();
        // A machine that had failed took no ends: they may have come meanwhile.
        if (events.some(({ type }) => type === "machine_resumed")) outbox.recover(id, machine);
        else outbox.update(id, machine);
        hub.notify(id);
      }
    },
    recovered(machines) {
      for (const [id, machine] of machines) {
        remember(id, machine);
        if (machine.chart.subscribes) onSubscribing();
        outbox.recover(id, machine);
      }
    },
  };
}
