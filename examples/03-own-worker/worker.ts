import { setTimeout as sleep } from "node:timers/promises";
import { createWorker, TaskError } from "@heddle/sdk";

// A worker is a process of its own: start as many as you like, wherever they reach the server (HEDDLE_ADDRESS).
const worker = createWorker({
  stopOnSignal: true,
  slots: 10,
  handlers: {
    /** Long work: it says how far it is, and stops when nobody waits for it any longer. */
    async scan_photos({ photos }: { photos: number }, { heartbeat, signal, executionId }) {
      console.log(`${executionId} scan: begins with ${photos} photos`);
      for (let scanned = 0; scanned < photos; scanned += 1) {
        if (signal.aborted) {
          console.log(`${executionId} scan: stopped after ${scanned} photos (${(signal.reason as Error).message})`);
          throw signal.reason;
        }
        heartbeat({ scanned, of: photos });
        await sleep(5);
      }
      return { scanned: photos };
    },

    /** Work that fails: some failures pass, some never will. The schema keeps out what the handler could not read. */
    charge_card: {
      description: "Charges a card",
      inputSchema: {
        type: "object",
        required: ["card", "cents"],
        properties: { card: { type: "string" }, cents: { type: "number", exclusiveMinimum: 0 } },
      },
      handler({ card, cents }: { card: string; cents: number }, { attempt, executionId }) {
        if (card === "declined") throw new TaskError("card_declined", "the bank says no", { retryable: false });
        // The gateway is busy twice, and says when to come back.
        if (attempt < 3) throw new TaskError("gateway_busy", `try again (attempt ${attempt})`, { retryAfterMs: 50 });
        // With a real bank: send context.idempotencyKey, so that a repeated delivery is not a second charge.
        return { cents, receipt: `R-${executionId.slice(-8)}` };
      },
    },
  },
});

await worker.start();
console.log("worker is ready");
