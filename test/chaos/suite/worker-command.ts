import { fileURLToPath } from "node:url";
import type { Command } from "./managed-process.ts";

export interface WorkerPlace {
  name: string;
  address: string;
  /** Where it writes what it did. */
  folder: string;
  slots: number;
}

const FILES = {
  worker: new URL("../workload/worker-process.ts", import.meta.url),
  zombie: new URL("../workload/zombie-process.ts", import.meta.url),
};

/** Each start is a worker of its own: what another process of that name held, it does not hold. */
export function workerCommand(kind: keyof typeof FILES, place: WorkerPlace): (incarnation: number) => Command {
  const { name, address, folder, slots } = place;
  return (incarnation) => ({
    file: fileURLToPath(FILES[kind]),
    args: Object.entries({ address, id: `${name}.${incarnation}`, folder, slots: String(slots) }).flatMap(
      ([option, value]) => [`--${option}`, value],
    ),
  });
}
