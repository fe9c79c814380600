import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KafkaBroker } from "@heddle/broker";
import {
  createTestAuthority,
  findCertificateRemedy,
  findFreePort,
  privateTestKafka,
  type TestAuthority,
} from "@heddle/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  createKafkaBus,
  createRawEventMessage,
  type EventMessage,
  type KafkaSecurity,
  readTopic,
} from "../src/index.ts";
import { testTopic } from "./kafka-support.ts";

// A broker that takes clients only by TLS, with a certificate and a password.
const kafka = privateTestKafka();
const missing = kafka.skipReason ?? findCertificateRemedy();
const folder = mkdtempSync(join(tmpdir(), "heddle-kafka-tls-"));
const sasl = { mechanism: "plain", username: "heddle", password: "s3cret" } as const;
let authority: TestAuthority;
let broker: KafkaBroker;
let address = "";
let tls: NonNullable<KafkaSecurity["tls"]>;

beforeEach((context) => missing !== undefined && context.skip(missing));
beforeAll(async () => {
  if (missing !== undefined) return;
  authority = createTestAuthority(folder);
  const server = authority.issue("broker", ["localhost", "127.0.0.1"]);
  tls = { caFile: authority.caFile, ...authority.issue("client", []) };
  const keystore = join(folder, "keystore.pem");
  writeFileSync(keystore, readFileSync(server.keyFile, "utf8") + readFileSync(server.certFile, "utf8"));
  const port = await findFreePort();
  address = `127.0.0.1:${port}`;
  broker = await kafka.start({
    secondListener: { protocol: "SASL_SSL", port },
    settings: {
      "ssl.keystore.type": "PEM",
      "ssl.keystore.location": keystore,
      "ssl.truststore.type": "PEM",
      "ssl.truststore.location": authority.caFile,
      "listener.name.sasl_ssl.ssl.client.auth": "required",
      "sasl.enabled.mechanisms": "PLAIN",
      "listener.name.sasl_ssl.plain.sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required user_${sasl.username}="${sasl.password}";`,
    },
  });
});
afterAll(async () => {
  await broker?.purge();
  rmSync(folder, { recursive: true });
});

describe("brokers that want TLS, a certificate and a password", () => {
  it("take what is published, and give it back", async () => {
    const topic = "secured";
    const bus = createKafkaBus({
      brokers: [address],
      clientId: "test",
      topics: [testTopic(topic, 1)],
      security: { tls, sasl },
    });
    await bus.publish([
      createRawEventMessage(topic, Buffer.from("1"), { id: "a/1", source: "/heddle/test", key: "a" }),
    ]);
    await bus.close();
    const read: EventMessage[] = [];
    const onMessages = (messages: readonly EventMessage[]) => void read.push(...messages);
    await readTopic({ brokers: [address], topic, security: { tls, sasl }, onMessages });
    expect(read).toHaveLength(1);
  });

  it.each<[string, () => KafkaSecurity]>([
    ["whose authority nobody knows", () => ({ tls: { certFile: tls.certFile, keyFile: tls.keyFile }, sasl })],
    ["that get no certificate", () => ({ tls: { caFile: tls.caFile }, sasl })],
    ["that get a wrong password", () => ({ tls, sasl: { ...sasl, password: "guess" } })],
  ])("are not read from: those %s", async (_, security) => {
    const limits = { retryMinMs: 10, retryMaxMs: 20, connectionTimeoutMs: 2_000 };
    await expect(
      readTopic({ brokers: [address], topic: "secured", security: security(), onMessages: () => {}, limits }),
    ).rejects.toThrow(/certificate|authenticat|closed connection|ECONNRESET|Connection error/i);
  });

  it("names a file that is not there", () => {
    const security = { tls: { caFile: "/nowhere/ca.crt" } };
    expect(() => createKafkaBus({ brokers: [address], clientId: "test", topics: [], security })).toThrow(
      "/nowhere/ca.crt",
    );
  });
});
