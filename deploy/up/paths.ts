import { join, resolve } from "node:path";
import type { readUpConfig } from "./config.ts";

export type UpConfig = ReturnType<typeof readUpConfig>;

/** Where the things of `make up` lie, in HEDDLE_DATA_DIR. */
export function pathsOf(config: Pick<UpConfig, "HEDDLE_DATA_DIR">) {
  const root = resolve(config.HEDDLE_DATA_DIR, "up");
  return {
    root,
    state: join(root, "up.json"),
    logs: join(root, "logs"),
    postgres: join(root, "postgres"),
    kafka: join(root, "kafka"),
  };
}
