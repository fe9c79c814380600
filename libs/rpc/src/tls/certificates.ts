import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { DomainError } from "@heddle/errors";
import type { Logger } from "@heddle/telemetry";
import { DEFAULT_LIMITS } from "../limits.ts";

/** Paths of PEM files. */
export interface CertificateFiles {
  /** The process's own certificate, those of intermediate authorities behind it: shown to callers, and to servers that ask. */
  certFile?: string | undefined;
  /** The key of `certFile`, without a passphrase. */
  keyFile?: string | undefined;
  /** Authorities of the servers that are called. Default: those that Node knows. */
  caFile?: string | undefined;
  /** Authorities of callers. Given, only callers with a certificate of theirs are let in. */
  clientCaFile?: string | undefined;
}

/** What stands in the files. */
export interface CertificateTexts {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly clientCa?: string;
}

/** Certificates that are read again when their files change: a rotation needs no restart. */
export interface Certificates {
  /** Always a set that belongs together. */
  readonly current: CertificateTexts;
  /** When the own certificate ends, in milliseconds since the epoch; undefined without one. */
  readonly expiresAt: number | undefined;
  /** Called after each change; returns how to end that. */
  onChange(listener: () => void): () => void;
  /** Ends the watching. */
  close(): void;
}

interface CertificatesOptions {
  logger?: Logger;
  /** How often the files are looked at. Default 10 s. */
  checkIntervalMs?: number;
}

const FIELDS = { certFile: "cert", keyFile: "key", caFile: "ca", clientCaFile: "clientCa" } as const;

/**
 * Reads the files, and again at an interval: watching them would miss volumes of Kubernetes, which swap a link somewhere above.
 * A set that does not fit together (a certificate was written, its key not yet) is not taken: the one before stays, and the
 * log says so once. @throws DomainError `CONFIG_INVALID` when the first reading fails
 */
export function openCertificates(
  files: CertificateFiles,
  { logger, checkIntervalMs = DEFAULT_LIMITS.certificateCheckIntervalMs }: CertificatesOptions = {},
): Certificates {
  let current = readCertificates(files);
  let expiresAt = expiryOf(current);
  let complaint: string | undefined;
  const listeners = new Set<() => void>();

  const look = (): void => {
    try {
      const found = readCertificates(files);
      complaint = undefined;
      if (isSame(found, current)) return;
      current = found;
      expiresAt = expiryOf(found);
      logger?.info(
        { ...files, expiresAt: expiresAt && new Date(expiresAt).toISOString() },
        "certificates have changed",
      );
      for (const listener of listeners) listener();
    } catch (error) {
      const { message } = error as Error;
      if (message !== complaint) logger?.error({ err: error }, "changed certificates are not taken; the old ones stay");
      complaint = message;
    }
  };
  const timer = setInterval(look, checkIntervalMs);
  timer.unref();

  return {
    get current() {
      return current;
    },
    get expiresAt() {
      return expiresAt;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => clearInterval(timer),
  };
}

function readCertificates(files: CertificateFiles): CertificateTexts {
  if ((files.certFile === undefined) !== (files.keyFile === undefined)) {
    throw unusable(files.certFile ?? files.keyFile, "a certificate and its key are given together, or none of them");
  }
  const texts: { -readonly [Field in keyof CertificateTexts]: string } = {};
  for (const [name, field] of Object.entries(FIELDS) as [keyof typeof FIELDS, keyof CertificateTexts][]) {
    const path = files[name];
    if (path !== undefined) texts[field] = readPem(path);
  }
  for (const field of ["ca", "clientCa"] as const) {
    const text = texts[field];
    if (text !== undefined) check(files[`${field}File`], () => new X509Certificate(text));
  }
  // Refuses a key of another certificate.
  check(files.certFile, () => createSecureContext({ cert: texts.cert, key: texts.key, ca: texts.ca }));
  return texts;
}

function readPem(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw unusable(path, `it cannot be read (${(cause as NodeJS.ErrnoException).code ?? "unknown error"})`, cause);
  }
  if (!text.includes("-----BEGIN ")) throw unusable(path, "it is no PEM file (-----BEGIN …)");
  return text;
}

function check(path: string | undefined, read: () => unknown): void {
  try {
    read();
  } catch (cause) {
    throw unusable(path, (cause as Error).message, cause);
  }
}

function expiryOf({ cert }: CertificateTexts): number | undefined {
  return cert === undefined ? undefined : Date.parse(new X509Certificate(cert).validTo);
}

function isSame(left: CertificateTexts, right: CertificateTexts): boolean {
  return Object.values(FIELDS).every((field) => left[field] === right[field]);
}

function unusable(path: string | undefined, why: string, cause?: unknown): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: "CONFIG_INVALID",
    message: `the TLS file ${path ?? ""} cannot be used: ${why}`,
    cause,
  });
}
