import { expect, it } from "vitest";
import { kafkaSecurity } from "./kafka-security.ts";

const user = { KAFKA_SASL_USERNAME: "heddle", KAFKA_SASL_PASSWORD: "s3cret" };

it("is nothing when nothing is set", () => {
  expect(kafkaSecurity({ KAFKA_TLS: false })).toEqual({ tls: undefined, sasl: undefined });
});

it("has the files and the user that are set", () => {
  expect(kafkaSecurity({ KAFKA_TLS: true, KAFKA_CA_FILE: "ca.crt", KAFKA_SASL_MECHANISM: "plain", ...user })).toEqual({
    tls: { caFile: "ca.crt", certFile: undefined, keyFile: undefined },
    sasl: { mechanism: "plain", username: "heddle", password: "s3cret" },
  });
});

it.each([
  ["files without TLS", { KAFKA_CA_FILE: "ca.crt" }, "set KAFKA_TLS=true"],
  [
    "a certificate without its key",
    { KAFKA_TLS: true, KAFKA_CERT_FILE: "tls.crt" },
    "KAFKA_KEY_FILE are given together",
  ],
  ["a user without a mechanism", user, "KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are given"],
])("refuses %s", (_, values, message) => {
  expect(() => kafkaSecurity(values)).toThrow(message);
});
