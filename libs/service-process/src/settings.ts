import { boolean, duration, int, list, oneOf, port, secret, string, url } from "@heddle/config";

/** PEM files, read again when they change. Without a certificate everything is in cleartext. */
const tlsSettings = {
  HEDDLE_TLS_CERT_FILE: string({
    doc: "PEM file of the process's certificate, with intermediate ones behind it. Given, the port takes calls by TLS; servers that ask for a client certificate get it too.",
    optional: true,
    example: "/etc/heddle/tls/tls.crt",
  }),
  HEDDLE_TLS_KEY_FILE: string({
    doc: "PEM file of that certificate's key.",
    optional: true,
    example: "/etc/heddle/tls/tls.key",
  }),
  HEDDLE_TLS_CA_FILE: string({
    doc: "PEM file of the authorities of services at https:// addresses. Default: the public ones that Node knows.",
    optional: true,
    example: "/etc/heddle/tls/ca.crt",
  }),
  HEDDLE_TLS_CLIENT_CA_FILE: string({
    doc: "PEM file of the authorities of callers. Given, only callers with a certificate of one of them may call.",
    optional: true,
    example: "/etc/heddle/tls/ca.crt",
  }),
  HEDDLE_TLS_CLEARTEXT: oneOf(["probes", "none", "all"], {
    doc: "What a port with TLS answers without it: health and /metrics, nothing, or everything, for the time of a change to TLS.",
    default: "probes",
  }),
  HEDDLE_TLS_CHECK_INTERVAL: duration({
    doc: "How often the files are looked at for a change.",
    default: 10_000,
    min: 100,
  }),
};

/** What a gateway shows to its own callers, when it is not what it shows to services. */
export const edgeTlsSettings = {
  HEDDLE_TLS_EDGE_CERT_FILE: string({
    doc: "PEM file of the certificate that callers from outside see, when it is not that of HEDDLE_TLS_CERT_FILE.",
    optional: true,
    example: "/etc/heddle/tls-edge/tls.crt",
  }),
  HEDDLE_TLS_EDGE_KEY_FILE: string({
    doc: "PEM file of that certificate's key.",
    optional: true,
    example: "/etc/heddle/tls-edge/tls.key",
  }),
};

/** Where the process listens, and how much it says. Ports differ by service. */
export function serverSettings(defaultPort: number) {
  return {
    HEDDLE_HOST: string({
      doc: "Address to listen on. Anything but loopback opens the service to the network, to everyone in it unless HEDDLE_TLS_CLIENT_CA_FILE is given.",
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
    ...tlsSettings,
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
    protocols: ["http", "https"],
    optional: true,
    example: "http://10.0.0.5:7235",
  }),
  HEDDLE_ADVERTISED_HOST: string({
    doc: "Host or address of that, when only it is another: the scheme and the port are those that hold here.",
    optional: true,
    example: "10.0.0.5",
  }),
  HEDDLE_TLS_REPLICA_NAME: string({
    doc: "Name that the certificates of all replicas have, as their addresses may be in none. Default: the host of the address.",
    optional: true,
    example: "heddle-execution",
  }),
};

export const databaseSettings = {
  DATABASE_URL: url({
    doc: "The Postgres server; each service keeps to a schema of its own in it.",
    protocols: ["postgres", "postgresql"],
    secret: true,
    example: "postgres://heddle:password@localhost:5432/heddle",
  }),
  HEDDLE_DATABASE_CA_FILE: string({
    doc: "PEM file of the authorities of Postgres. Given, connections are by TLS, and the server's name is verified.",
    optional: true,
    example: "/etc/heddle/database-ca/ca.crt",
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
  KAFKA_TLS: boolean({ doc: "Whether brokers are called by TLS.", default: false }),
  KAFKA_CA_FILE: string({
    doc: "PEM file of the authorities of the brokers. Default: the public ones that Node knows.",
    optional: true,
    example: "/etc/heddle/kafka-ca/ca.crt",
  }),
  KAFKA_CERT_FILE: string({
    doc: "PEM file of the certificate for brokers that ask for one.",
    optional: true,
    example: "/etc/heddle/kafka-client/tls.crt",
  }),
  KAFKA_KEY_FILE: string({
    doc: "PEM file of that certificate's key.",
    optional: true,
    example: "/etc/heddle/kafka-client/tls.key",
  }),
  KAFKA_SASL_MECHANISM: oneOf(["plain", "scram-sha-256", "scram-sha-512"], {
    doc: "How the process tells brokers who it is.",
    optional: true,
  }),
  KAFKA_SASL_USERNAME: string({ doc: "Name of its user there.", optional: true, example: "heddle" }),
  KAFKA_SASL_PASSWORD: secret({ doc: "Password of that user.", optional: true }),
  KAFKA_TOPIC_PREFIX: string({
    doc: "What the names of topics and consumer groups begin with there. Installations that share a Kafka need one each.",
    item: { shape: "up to 64 letters, digits, ., _ and -", pattern: /^[a-zA-Z0-9._-]{1,64}$/ },
    optional: true,
    example: "staging.",
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
    item: { shape: "http://host:port or https://host:port", pattern: /^https?:\/\/[^\s/,]+$/ },
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
