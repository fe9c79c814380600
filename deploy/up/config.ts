import { defineConfig, int, list, oneOf, string, url } from "@heddle/config";
import { REPLICAS_MAX } from "./limits.ts";

/** What `make up` and `make down` read. Variables of the services themselves, e.g. HEDDLE_HTTP_ALLOW, reach these. */
const upConfig = defineConfig({
  HEDDLE_REPLICAS: int({
    doc: "Replicas of the execution service and of the scheduler.",
    default: 1,
    min: 1,
    max: REPLICAS_MAX,
  }),
  HEDDLE_UP_PORTS: oneOf(["default", "free"], {
    doc: "`default`: each service listens where it does by itself, further replicas 10 higher; `free`: on free ports.",
    default: "default",
  }),
  HEDDLE_DATA_DIR: string({ doc: "Folder for data, logs and process ids, in its folder `up`.", default: ".heddle" }),
  DATABASE_URL: url({
    doc: "A Postgres server to use in place of one that is started.",
    protocols: ["postgres", "postgresql"],
    secret: true,
    optional: true,
  }),
  KAFKA_BROKERS: list({
    doc: "Kafka brokers to use in place of one that is started.",
    item: { shape: "host:port", pattern: /^[^\s:/,]+:\d{1,5}$/ },
    optional: true,
    example: "127.0.0.1:9092",
  }),
});

/** @throws DomainError `CONFIG_INVALID` */
export function readUpConfig(): ReturnType<typeof upConfig.parse> {
  return upConfig.parse(process.env);
}

/** What processes of the suite inherit, without what would give all of them one identity. An empty variable counts as absent. */
export function inheritedEnvironment(): Record<string, string | undefined> {
  return { ...process.env, HEDDLE_ADVERTISED_ADDRESS: "", HEDDLE_OWNER: "", DATABASE_URL_FILE: "" };
}
