import { hostname } from "node:os";
import { randomBytes } from "node:crypto";
import type { TlsOptions } from "@heddle/rpc";

/** Where `heddle dev` listens. */
const DEFAULT_ADDRESS = "http://127.0.0.1:7233";

/** What clients and workers take from the environment when their options do not say it. */
export interface SdkConfig {
  /** `HEDDLE_ADDRESS`: `http://host:port`, `https://host` or `host:port`. */
  address: string;
  /** `HEDDLE_NAMESPACE`; default `default`. */
  namespace: string;
  /** `HEDDLE_TLS_CA_FILE`, `HEDDLE_TLS_CERT_FILE`, `HEDDLE_TLS_KEY_FILE`, `HEDDLE_TLS_SERVER_NAME`. */
  tls: TlsOptions;
}

export function readConfig(env: NodeJS.ProcessEnv = process.env): SdkConfig {
  return {
    address: env["HEDDLE_ADDRESS"] || DEFAULT_ADDRESS,
    namespace: env["HEDDLE_NAMESPACE"] || "default",
    tls: {
      caFile: env["HEDDLE_TLS_CA_FILE"] || undefined,
      certFile: env["HEDDLE_TLS_CERT_FILE"] || undefined,
      keyFile: env["HEDDLE_TLS_KEY_FILE"] || undefined,
      serverName: env["HEDDLE_TLS_SERVER_NAME"] || undefined,
    },
  };
}

/** An id that no other process has, and that tells a person where the process runs. */
export function newWorkerId(): string {
  return `${hostname().slice(0, 80)}-${process.pid}-${randomBytes(4).toString("hex")}`;
}
