import { boolean, int, list, oneOf, port, string, url } from "@heddle/config";

/** Where the process listens, and how much it says. Ports differ by service. */
export function serverSettings(defaultPort: number) {
  return {
    HEDDLE_HOST: string({
      doc: "Address to listen on. Anything but loopback opens the service to the network, without authentication.",
      default: "127.0.0.1",
    }),
    HEDDLE_PORT: port({
      doc: "Port for gRPC, gRPC-Web, Connect, health, reflection, /healthz, /livez and /metrics.",
      default: defaultPort,
    }),
    HEDDLE_LOG_LEVEL: oneOf(["debug", "info", "warn", "error", "silent"], {
      doc: "Least severe lines that are logged, as JSON on standard output.",
      default: "info",
    }),
  };
}

/** Who this replica is among others of its service. */
export const replicaSettings = {
  HEDDLE_OWNER: string({
    doc: "Name of this replica: unique among live ones, the same after a restart. Default: host name and port.",
    optional: true,
    example: "execution-0",
  }),
  HEDDLE_ADVERTISED_ADDRESS: url({
    doc: "Where other replicas reach this one. Default: HEDDLE_HOST, or the host name when that is a wildcard, and the port.",
    protocols: ["http"],
    optional: true,
    example: "http://10.0.0.5:7235",
  }),
};

export const databaseSettings = {
  DATABASE_URL: url({
    doc: "The Postgres server; each service keeps to a schema of its own in it.",
    protocols: ["postgres", "postgresql"],
    secret: true,
    example: "postgres://heddle:password@localhost:5432/heddle",
  }),
  HEDDLE_DATABASE_CONNECTIONS: int({
    doc: "Connections of one pool of this process; it has up to two pools, and a few connections beside them.",
    default: 10,
    min: 2,
    max: 1000,
  }),
  HEDDLE_MIGRATE: boolean({
    doc: "Whether a serving process brings its schema up to date first. Otherwise it refuses a schema that lacks migrations.",
    default: false,
  }),
  HEDDLE_DATABASE_GRANT_TO: string({
    doc: "Role of the serving processes, when it is not the one that migrates: `migrate` grants it the rows of the schema, and no change of tables.",
    optional: true,
    example: "heddle_execution",
  }),
};

export const busSettings = {
  KAFKA_BROKERS: list({
    doc: "Kafka brokers to begin with, host:port.",
    item: { shape: "host:port", pattern: /^[^\s:/,]+:\d{1,5}$/ },
    example: "127.0.0.1:9092",
  }),
  HEDDLE_TOPICS_FILE: string({
    doc: "YAML file of topics with their partitions, replication and retention: missing ones are made from it.",
    optional: true,
    example: "deploy/topics.yaml",
  }),
};

/** Where another service is. */
export function addressSetting(service: string, defaultPort: number) {
  return list({
    doc: `Where the ${service} service is. Several replicas: a name that resolves to all of them, or several IPv4 addresses.`,
    item: { shape: "http://host:port", pattern: /^http:\/\/[^\s/,]+$/ },
    default: [`http://127.0.0.1:${defaultPort}`],
  });
}

/** Default port of each service. */
export const servicePorts = {
  gateway: 7233,
  definition: 7234,
  execution: 7235,
  scheduler: 7236,
  statemachine: 7237,
  worker: 7240,
} as const;
