import { readFileSync } from "node:fs";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** How brokers are called. */
export interface KafkaSecurity {
  /** PEM files, read again for each connection. Undefined: in cleartext. */
  tls?: { caFile?: string | undefined; certFile?: string | undefined; keyFile?: string | undefined } | undefined;
  sasl?: { mechanism: SaslMechanism; username: string; password: string } | undefined;
}

type SaslMechanism = "plain" | "scram-sha-256" | "scram-sha-512";

/** Opens a connection to a broker; `onConnect` when it can be written to. With TLS the broker's name is verified. */
export function connectToBroker(
  { tls }: KafkaSecurity,
  { host, port, onConnect }: { host: string; port: number; onConnect: () => void },
): Socket {
  if (tls === undefined) return connectTcp({ host, port }, onConnect);
  return connectTls({ host, port, servername: isIP(host) === 0 ? host : "", ...readTlsFiles(tls) }, onConnect);
}

/** @throws Error of `node:fs` for a file that cannot be read */
export function readTlsFiles({ caFile, certFile, keyFile }: NonNullable<KafkaSecurity["tls"]>) {
  const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path));
  return { ca: read(caFile), cert: read(certFile), key: read(keyFile) };
}
