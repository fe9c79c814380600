import { boolean, defineConfig, int, oneOf, port, string, url } from "@heddle/config";
import { workerSettings } from "@heddle/worker-service";

/** What the one-process suite reads from the environment, its worker included: all faults are told at once. */
export const devConfig = defineConfig({
  ...workerSettings,
  HEDDLE_HOST: string({
    doc: "Address to listen on. Anything but loopback opens the suite to the network, without authentication.",
    default: "127.0.0.1",
  }),
  HEDDLE_PORT: port({ doc: "Port for gRPC, gRPC-Web, Connect and /metrics; 0 takes a free one.", default: 7233 }),
  HEDDLE_PORT_FALLBACK: int({
    doc: "When the port is taken, this many following ones are tried.",
    default: 20,
    min: 0,
    max: 1000,
  }),
  HEDDLE_DATA_DIR: string({ doc: "Where the embedded Postgres keeps its data.", default: ".heddle" }),
  DATABASE_URL: url({
    doc: "A Postgres server to use in place of the embedded one.",
    protocols: ["postgres", "postgresql"],
    secret: true,
    optional: true,
  }),
  HEDDLE_EVENT_LOG: string({
    doc: "File to append every event to, one CloudEvents JSON object a line.",
    optional: true,
  }),
  HEDDLE_LOG_LEVEL: oneOf(["debug", "info", "warn", "error", "silent"], {
    doc: "Least severe lines that are logged.",
    default: "warn",
  }),
  HEDDLE_WORKER: boolean({
    doc: "Whether the worker with the built-in tools and agents runs in this process too.",
    default: true,
  }),
});

export type DevConfig = ReturnType<typeof devConfig.parse>;
