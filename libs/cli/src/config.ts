import { readFileSync } from "node:fs";
import type { KafkaSecurity } from "@heddle/events";
import type { TlsOptions } from "@heddle/rpc";

/** What `heddle` takes from the environment; flags go before it. */
export interface CliConfig {
  /** `HEDDLE_ADDRESS`: `http://host:port`, `https://host` or `host:port`. */
  address: string;
  /** `HEDDLE_NAMESPACE`. */
  namespace: string;
  /** `KAFKA_BROKERS`, with commas between them: where `heddle doctor` finds the events. */
  brokers?: readonly string[];
  /** `KAFKA_TOPIC_PREFIX`: as services have it. */
  topicPrefix?: string;
  /** `USER`: who answers human tasks, unless a flag says it. */
  user?: string;
  /** How they are called: `KAFKA_TLS` and the others that services take. */
  kafka?: KafkaSecurity;
  /** For an address of https://. `HEDDLE_TLS_CA_FILE`, `HEDDLE_TLS_CERT_FILE`, `HEDDLE_TLS_KEY_FILE`, `HEDDLE_TLS_SERVER_NAME`. */
  tls?: TlsOptions;
  /** Undefined leaves it to whether the stream is a terminal. `NO_COLOR`, `FORCE_COLOR`. */
  color: boolean | undefined;
  /** False on terminals that cannot move the cursor, and in CI logs. `TERM=dumb`, `CI`. */
  live: boolean;
  /** Whether signs such as ✓ can be shown. `LC_ALL`, `LC_CTYPE`, `LANG`. */
  unicode: boolean;
}

const defaultAddress = "http://127.0.0.1:7233";

export function readConfig(env: NodeJS.ProcessEnv = process.env): CliConfig {
  return {
    address: env["HEDDLE_ADDRESS"] || defaultAddress,
    namespace: env["HEDDLE_NAMESPACE"] || "default",
    ...(env["KAFKA_BROKERS"] && { brokers: env["KAFKA_BROKERS"].split(",").map((broker) => broker.trim()) }),
    ...(env["KAFKA_TOPIC_PREFIX"] && { topicPrefix: env["KAFKA_TOPIC_PREFIX"] }),
    ...(env["USER"] && { user: env["USER"] }),
    tls: {
      caFile: env["HEDDLE_TLS_CA_FILE"] || undefined,
      certFile: env["HEDDLE_TLS_CERT_FILE"] || undefined,
      keyFile: env["HEDDLE_TLS_KEY_FILE"] || undefined,
      serverName: env["HEDDLE_TLS_SERVER_NAME"] || undefined,
    },
    kafka: readKafkaSecurity(env),
    color: readColor(env),
    live: env["TERM"] !== "dumb" && !env["CI"],
    unicode: readUnicode(env),
  };
}

/** The environment that `heddle dev` gives to the process that it starts. */
export function inheritedEnvironment(added: Record<string, string>): NodeJS.ProcessEnv {
  return { ...process.env, ...added };
}

function readKafkaSecurity(env: NodeJS.ProcessEnv): KafkaSecurity {
  const passwordFile = env["KAFKA_SASL_PASSWORD_FILE"];
  const mechanism = env["KAFKA_SASL_MECHANISM"] as NonNullable<KafkaSecurity["sasl"]>["mechanism"] | undefined;
  const sasl = mechanism && {
    mechanism,
    username: env["KAFKA_SASL_USERNAME"] ?? "",
    password: passwordFile ? readFileSync(passwordFile, "utf8").trim() : (env["KAFKA_SASL_PASSWORD"] ?? ""),
  };
  const files = {
    caFile: env["KAFKA_CA_FILE"] || undefined,
    certFile: env["KAFKA_CERT_FILE"] || undefined,
    keyFile: env["KAFKA_KEY_FILE"] || undefined,
  };
  return { tls: env["KAFKA_TLS"] === "true" ? files : undefined, sasl };
}

/** https://no-color.org: present and not empty. FORCE_COLOR goes before it, except as `0`. */
function readColor(env: NodeJS.ProcessEnv): boolean | undefined {
  const force = env["FORCE_COLOR"];
  if (force !== undefined && force !== "") return force !== "0" && force !== "false";
  if (env["NO_COLOR"]) return false;
  if (env["TERM"] === "dumb") return false;
  return undefined;
}

function readUnicode(env: NodeJS.ProcessEnv): boolean {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"];
  // Containers often say nothing; what shows their logs reads UTF-8.
  return locale === undefined || /utf-?8/i.test(locale) || locale === "C" || locale === "POSIX";
}
