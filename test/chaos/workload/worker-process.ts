import { parseArgs } from "node:util";
import { createWorker } from "@heddle/sdk";
import { createEffectLog, effectsFile } from "../record/effects.ts";
import { createHandlers } from "./handlers.ts";

// A worker as users write it, in a process of its own. It says `ready` when the scheduler has welcomed it.
const { values } = parseArgs({
  options: {
    address: { type: "string", default: "" },
    id: { type: "string", default: "" },
    slots: { type: "string", default: "20" },
    folder: { type: "string", default: "" },
  },
});
const worker = createWorker({
  address: values.address,
  workerId: values.id,
  slots: Number(values.slots),
  handlers: createHandlers(values.id, createEffectLog(effectsFile(values.folder, values.id))),
  stopOnSignal: true,
});
await worker.start();
console.log("ready");
