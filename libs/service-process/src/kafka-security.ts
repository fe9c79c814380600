import type { KafkaSecurity } from "@heddle/events";
import { DomainError } from "@heddle/errors";

export interface KafkaValues {
  KAFKA_TLS?: boolean;
  KAFKA_CA_FILE?: string | undefined;
  KAFKA_CERT_FILE?: string | undefined;
  KAFKA_KEY_FILE?: string | undefined;
  KAFKA_SASL_MECHANISM?: "plain" | "scram-sha-256" | "scram-sha-512" | undefined;
  KAFKA_SASL_USERNAME?: string | undefined;
  KAFKA_SASL_PASSWORD?: string | undefined;
}

/** How the brokers of these settings are called. @throws DomainError `CONFIG_INVALID` for settings that do not go together */
export function kafkaSecurity(values: KafkaValues): KafkaSecurity {
  const { KAFKA_CA_FILE: caFile, KAFKA_CERT_FILE: certFile, KAFKA_KEY_FILE: keyFile } = values;
  if (values.KAFKA_TLS !== true && (caFile ?? certFile ?? keyFile) !== undefined) {
    throw unusable("KAFKA_CA_FILE, KAFKA_CERT_FILE and KAFKA_KEY_FILE are for TLS: set KAFKA_TLS=true");
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw unusable("KAFKA_CERT_FILE and KAFKA_KEY_FILE are given together, or none of them");
  }
  return {
    tls: values.KAFKA_TLS === true ? { caFile, certFile, keyFile } : undefined,
    sasl: saslOf(values),
  };
}

function saslOf(values: KafkaValues): KafkaSecurity["sasl"] {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = values;
  if (mechanism === undefined && username === undefined && password === undefined) return undefined;
  if (mechanism !== undefined && username !== undefined && password !== undefined) {
    return { mechanism, username, password };
  }
  throw unusable(
    "KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are given together, or none of them",
  );
}

function unusable(message: string): DomainError {
  return new DomainError({ kind: "invalid_argument", reason: "CONFIG_INVALID", message });
}
