import { parseArgs } from "node:util";

export interface Settings {
  tasks: number;
  inFlight: number;
  slots: number;
  bytes: number;
  rounds: number;
  /** `raw`: protobuf frames answered at once. `sdk`: the worker of @heddle/sdk with a handler that returns its input. */
  worker: "raw" | "sdk";
}

export function readSettings(args: string[]): Settings {
  const { values } = parseArgs({
    args,
    options: {
      tasks: { type: "string", default: "200000" },
      "in-flight": { type: "string", default: "2048" },
      slots: { type: "string", default: "1024" },
      bytes: { type: "string", default: "200" },
      rounds: { type: "string", default: "3" },
      worker: { type: "string", default: "raw" },
    },
  });
  if (values.worker !== "raw" && values.worker !== "sdk")
    throw new Error(`--worker is raw or sdk, not ${values.worker}`);
  return {
    tasks: wholeNumber("tasks", values.tasks),
    inFlight: wholeNumber("in-flight", values["in-flight"]),
    slots: wholeNumber("slots", values.slots),
    bytes: wholeNumber("bytes", values.bytes),
    rounds: wholeNumber("rounds", values.rounds),
    worker: values.worker,
  };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text.replaceAll("_", ""));
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} must be a whole number above 0, is ${text}`);
}
