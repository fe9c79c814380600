import { assign, createActor, setup } from "xstate";

/** A switch that counts by how much it was flipped: a guard, a transition and an assignment for each event. */
export const SWITCH = `
workflow:
  id: switch
  type: state_machine
  context: { total: 0 }
  states:
    - name: "off"
      transitions:
        - { event: flip, guard: "\${event.data.by > 0}", target: "on", actions: { type: assign, params: { total: "\${total + event.data.by}" } } }
    - name: "on"
      transitions:
        - { event: flip, guard: "\${event.data.by > 0}", target: "off", actions: { type: assign, params: { total: "\${total + event.data.by}" } } }
`;

/** The same as XState runs it, in memory. */
export interface MemorySwitch {
  flip(): void;
  read(): { state: string; total: number };
}

const chart = setup({
  // Only their types count.
  types: { context: { total: 0 }, events: { type: "flip" as const, by: 0 } },
  guards: { isForward: ({ event }) => event.by > 0 },
  actions: { count: assign({ total: ({ context, event }) => context.total + event.by }) },
}).createMachine({
  context: { total: 0 },
  initial: "off",
  states: {
    off: { on: { flip: { guard: "isForward", target: "on", actions: "count" } } },
    on: { on: { flip: { guard: "isForward", target: "off", actions: "count" } } },
  },
});

export function createMemorySwitch(): MemorySwitch {
  const actor = createActor(chart).start();
  return {
    flip: () => actor.send({ type: "flip", by: 1 }),
    read() {
      const { value, context } = actor.getSnapshot();
      return { state: value, total: context.total };
    },
  };
}
