import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKafkaBus, type EventBus } from "@heddle/events";
import { NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { RpcServer } from "@heddle/rpc";
import { createLogger } from "@heddle/telemetry";
import { createTestDatabase, type TestDatabase, testKafka, uniqueTopic } from "@heddle/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { executionMigrations } from "../src/index.ts";
import { startDependencies } from "./support/service-dependencies.ts";
import { createServiceProcess, PATIENCE, type ServiceProcess } from "./support/service-process.ts";

const LISTENER = `
workflow:
  id: listener
  type: dag
  nodes:
    - id: each
      type: control
      subtype: loop
      for_each: [0, 1, 2, 3]
      nodes:
        - { id: paid, type: action, subtype: wait, params: { event: com.shop.order.paid, key: "\${input.key}" } }
`;

const SOURCE = "/shop/orders";

const kafka = testKafka();

describe("CloudEvents of others", () => {
  const topic = uniqueTopic("orders");
  let folder: string;
  let testDatabase: TestDatabase;
  let dependencies: RpcServer;
  let bus: EventBus;
  let service: ServiceProcess;
  let listener: string;
  let stranger: string;

  beforeEach((context) => kafka.skipReason !== undefined && context.skip(kafka.skipReason));
  beforeAll(async () => {
    if (kafka.skipReason !== undefined) return;
    folder = await mkdtemp(join(tmpdir(), "heddle-cloud-events-"));
    testDatabase = await createTestDatabase({ schema: "execution", migrations: executionMigrations });
    const brokers = await kafka.brokers();
    const logger = createLogger({ name: "test", level: "silent" });
    const topics = [{ name: topic, partitions: 1, replicationFactor: 1, retentionMs: 3_600_000, config: {} }];
    bus = createKafkaBus({ brokers, clientId: "shop", topics, logger });
    const { server, url } = await startDependencies([LISTENER]);
    dependencies = server;
    // A prefix for the topics of the service: those of others have none.
    const env = { HEDDLE_EVENT_TOPICS: topic, KAFKA_TOPIC_PREFIX: `${uniqueTopic("suite")}.` };
    const common = { databaseUrl: testDatabase.url, brokers: brokers.join(","), dependencies: url };
    service = await createServiceProcess({ owner: "a", log: join(folder, "a.log"), env, ...common });
    await publish({ ce_type: "com.shop.order.made", ce_id: "0" }, "{}");
    await service.start();
    listener = await start("");
    stranger = await start("elsewhere");
  });
  afterAll(async () => {
    if (kafka.skipReason !== undefined) return;
    await service?.close();
    await bus?.close();
    await dependencies?.close({ drainMs: 0 });
    await testDatabase?.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it("are told in both modes, once for a source and an id, to those of their namespace and key", async () => {
    await publish({ ce_id: "1" }, '{"n":1}');
    await publish({ ce_id: "1" }, '{"n":1}');
    await publish({ ce_id: "other", ce_subject: "8" }, '{"n":0}');
    const event = { specversion: "1.0", id: "2", source: SOURCE, type: "com.shop.order.paid", subject: "7" };
    await publishStructured({ ...event, data: { n: 2 } });
    await publish({ ce_id: "3", ce_heddlenamespace: "elsewhere" }, '{"n":3}');
    await expect.poll(() => taken(listener), PATIENCE).toEqual([{ n: 1 }, { n: 2 }]);
    await expect.poll(() => taken(stranger), PATIENCE).toEqual([{ n: 3 }]);
  });

  it("are set aside when nobody can read them, and hold up none behind them for long", async () => {
    await publish({ ce_id: "broken" }, "<xml/>");
    await publish({ ce_id: "4" }, '{"n":4}');
    await expect.poll(() => taken(listener), PATIENCE).toEqual([{ n: 1 }, { n: 2 }, { n: 4 }]);
    const { rows } = await testDatabase.database.query<{ topic: string; error: string }>({
      text: "select topic, error from event_poison",
    });
    expect(rows).toEqual([{ topic, error: expect.stringContaining("the data is no JSON") }]);
  });

  it("are told after the end of a process that had stored one and told nobody", async () => {
    await testDatabase.open().transaction(async (transaction) => {
      // Whoever has stored an event looks up who waits for it, and now waits for this lock.
      await transaction.query({ text: "lock table event_waits in access exclusive mode" });
      await publish({ ce_id: "5" }, '{"n":5}');
      const stored = async (): Promise<number> => {
        const text = `select from recent_events where event_id = 'cloudevent/default/${SOURCE} 5'`;
        return (await testDatabase.database.query({ text })).rows.length;
      };
      await expect.poll(stored, PATIENCE).toBe(1);
      await service.kill();
    });
    await service.start();
    await expect.poll(() => taken(listener), PATIENCE).toEqual([{ n: 1 }, { n: 2 }, { n: 4 }, { n: 5 }]);
    const { execution } = await service.client.getExecution({ executionId: listener });
    expect(execution?.nodes[0]?.status).toBe(NodeStatus.COMPLETED);
  });

  async function start(namespace: string): Promise<string> {
    const request = { namespace, workflowId: "listener", input: { key: 7 } };
    return (await service.client.startExecution(request)).execution!.executionId;
  }

  /** What its node has taken, in order. */
  async function taken(executionId: string): Promise<unknown[]> {
    const { events } = await service.client.listHistory({ executionId, pageSize: 500 });
    return events.flatMap(({ event }) => {
      if (event.case !== "eventReceived") return [];
      const { payload } = event.value.event ?? {};
      return payload?.form.case === "json" ? [JSON.parse(payload.form.value) as unknown] : [];
    });
  }

  function publish(attributes: Record<string, string>, data: string): Promise<void> {
    return send(data, {
      ce_specversion: "1.0",
      ce_source: SOURCE,
      ce_type: "com.shop.order.paid",
      ce_subject: "7",
      "content-type": "application/json",
      ...attributes,
    });
  }

  function publishStructured(event: object): Promise<void> {
    return send(JSON.stringify(event), { "content-type": "application/cloudevents+json; charset=UTF-8" });
  }

  function send(value: string, headers: Record<string, string>): Promise<void> {
    return bus.publish([{ topic, key: "7", value: Buffer.from(value), headers: headers as never }]);
  }
});
