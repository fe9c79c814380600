import { createWorker } from "@heddle/sdk";

// A worker in a process of its own with one tool, `echo`, that gives its input back. Arguments: address, slots.
const [address, slots] = process.argv.slice(2);
const worker = createWorker({ address, slots: Number(slots), handlers: { echo: async (input) => input } });
await worker.start();
process.send?.("ready");
process.on("disconnect", () => process.exit(0));
