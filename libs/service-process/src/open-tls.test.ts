import { createLogger, createMetrics } from "@heddle/telemetry";
import { expect, it } from "vitest";
import { createClosers } from "./closers.ts";
import { openTls, type TlsValues } from "./open-tls.ts";

const logger = createLogger({ name: "test", level: "silent" });
const open = (values: TlsValues) => openTls(values, logger, createMetrics(), createClosers());

it("leaves the port in cleartext when there is no certificate", () => {
  expect(open({ HEDDLE_TLS_CLEARTEXT: "probes" }).server).toBeUndefined();
});

it("refuses to ask callers for certificates without having one", () => {
  expect(() => open({ HEDDLE_TLS_CLIENT_CA_FILE: "ca.crt" })).toThrow("give HEDDLE_TLS_CERT_FILE");
});

it.each([
  [{ HEDDLE_TLS_CERT_FILE: "tls.crt" }, /tls\.crt cannot be used: a certificate and its key are given together/],
  [{ HEDDLE_TLS_EDGE_KEY_FILE: "edge.key" }, /edge\.key cannot be used: a certificate and its key are given together/],
  [{ HEDDLE_TLS_CA_FILE: "/nowhere/ca.crt" }, /\/nowhere\/ca\.crt cannot be used: it cannot be read/],
] satisfies [TlsValues, RegExp][])("refuses %o", (values, message) => {
  expect(() => open(values)).toThrow(message);
});
