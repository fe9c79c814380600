import { DomainError } from "@heddle/errors";
import { type Certificates, type Cleartext, type ClientTls, openCertificates, type ServerTls } from "@heddle/rpc";
import type { Logger, Metrics } from "@heddle/telemetry";
import type { Closers } from "./closers.ts";

export interface TlsValues {
  HEDDLE_TLS_CERT_FILE?: string | undefined;
  HEDDLE_TLS_KEY_FILE?: string | undefined;
  HEDDLE_TLS_CA_FILE?: string | undefined;
  HEDDLE_TLS_CLIENT_CA_FILE?: string | undefined;
  HEDDLE_TLS_CLEARTEXT?: Cleartext;
  HEDDLE_TLS_CHECK_INTERVAL?: number;
  HEDDLE_TLS_REPLICA_NAME?: string | undefined;
  HEDDLE_TLS_EDGE_CERT_FILE?: string | undefined;
  HEDDLE_TLS_EDGE_KEY_FILE?: string | undefined;
}

/** How a process speaks TLS, as far as it does. */
export interface ProcessTls {
  /** Undefined: the port is in cleartext. */
  server: ServerTls | undefined;
  /** To other services. */
  services: ClientTls;
  /** To other replicas, which are called by address. */
  replicas: ClientTls;
}

/** Reads the certificates that the settings name, and follows their changes to the end of the process. @throws DomainError `CONFIG_INVALID` */
export function openTls(values: TlsValues, logger: Logger, metrics: Metrics, closers: Closers): ProcessTls {
  const edge = { certFile: values.HEDDLE_TLS_EDGE_CERT_FILE, keyFile: values.HEDDLE_TLS_EDGE_KEY_FILE };
  const own = { certFile: values.HEDDLE_TLS_CERT_FILE, keyFile: values.HEDDLE_TLS_KEY_FILE };
  const shown = edge.certFile === undefined && edge.keyFile === undefined ? own : edge;
  const clientCaFile = values.HEDDLE_TLS_CLIENT_CA_FILE;
  if (clientCaFile !== undefined && shown.certFile === undefined) throw withoutCertificate();

  const open = (files: Parameters<typeof openCertificates>[0]): Certificates => {
    const opened = openCertificates(files, { logger, checkIntervalMs: values.HEDDLE_TLS_CHECK_INTERVAL });
    closers.add(() => opened.close());
    return opened;
  };
  const certificates = open({ ...own, caFile: values.HEDDLE_TLS_CA_FILE, ...(shown === own && { clientCaFile }) });
  const toCallers = shown === own ? certificates : open({ ...shown, clientCaFile });
  const services = { certificates };
  if (shown.certFile === undefined) return { server: undefined, services, replicas: services };

  metrics.gauge(
    "heddle_tls_certificate_expiry_timestamp_seconds",
    "When the certificate of the port ends, in seconds since the epoch.",
    () => (toCallers.expiresAt ?? 0) / 1_000,
  );
  return {
    server: { certificates: toCallers, cleartext: values.HEDDLE_TLS_CLEARTEXT ?? "probes" },
    services,
    replicas: { certificates, serverName: values.HEDDLE_TLS_REPLICA_NAME },
  };
}

function withoutCertificate(): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: "CONFIG_INVALID",
    message:
      "HEDDLE_TLS_CLIENT_CA_FILE asks callers for certificates, which takes TLS: give HEDDLE_TLS_CERT_FILE and HEDDLE_TLS_KEY_FILE too",
  });
}
