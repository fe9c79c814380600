import { hostname } from "node:os";
import { randomBytes } from "node:crypto";

/** Where `heddle dev` listens. */
const DEFAULT_ADDRESS = "http://127.0.0.1:7233";

/** What clients and workers take from the environment when their options do not say it. */
export interface SdkConfig {
  /** `HEDDLE_ADDRESS`: `http://host:port`, `https://host` or `host:port`. */
  address: string;
  /** `HEDDLE_NAMESPACE`; default `default`. */
  namespace: string;
}

export function readConfig(env: NodeJS.ProcessEnv = process.env): SdkConfig {
  return {
    address: env["HEDDLE_ADDRESS"] || DEFAULT_ADDRESS,
    namespace: env["HEDDLE_NAMESPACE"] || "default",
  };
}

/** An id that no other process has, and that tells a person where the process runs. */
export function newWorkerId(): string {
  return `${hostname().slice(0, 80)}-${process.pid}-${randomBytes(4).toString("hex")}`;
}
