import { beforeAll, describe, expect, it } from "vitest";
import { disposeDev, startDev, type TestDevProcess } from "../e2e/start-dev.ts";
import { bufCurl, curl, grpcJs, grpcurl, type InteropClient } from "./clients.ts";
import { findGrpcurl } from "./grpcurl.ts";

const DEFINITIONS = "heddle.definition.v1.DefinitionService";
const EXECUTIONS = "heddle.execution.v1.ExecutionService";

const grpcurlPath = await findGrpcurl();
let dev: TestDevProcess;
beforeAll(async () => {
  dev = await startDev();
  return () => disposeDev(dev);
});

/** Waits for a signal between its two steps, so that a watch can be opened while it runs. */
function workflow(id: string): string {
  return `workflow:
  id: ${id}
  type: dag
  nodes:
    - { id: approved, type: action, subtype: wait, params: { signal: approve } }
    - { id: sum, type: action, subtype: transform, dependencies: [approved], params: { value: "\${input.n + 1}" } }
  output: { n: "\${sum.output}" }
`;
}

const clients: [name: string, skip: boolean, create: () => InteropClient][] = [
  ["buf curl, by reflection alone", false, () => bufCurl(dev.url)],
  grpcurlPath === undefined
    ? ["grpcurl, by reflection alone (skipped: put grpcurl on PATH, or install Go 1.24)", true, () => bufCurl(dev.url)]
    : ["grpcurl, by reflection alone", false, () => grpcurl(grpcurlPath, dev.url)],
  ["curl, Connect JSON over HTTP/1.1", false, () => curl(dev.url)],
  ["grpc-js", false, () => grpcJs(dev.url)],
];

describe.each(clients)("%s", (name, skip, create) => {
  const workflowId = name.replaceAll(/[^a-z]+/g, "-").replace(/-$/, "");

  it.skipIf(skip)("lists and describes what the server offers, where it can", async () => {
    const client = create();
    const services = (await client.listServices?.()) ?? [DEFINITIONS, EXECUTIONS];
    expect(services).toEqual(expect.arrayContaining([DEFINITIONS, EXECUTIONS]));
    const described = (await client.describe?.(`${EXECUTIONS}.StartExecution`)) ?? "StartExecutionRequest";
    expect(described).toContain("StartExecutionRequest");
  });

  it.skipIf(skip)("publishes, starts, watches, signals and gets", async () => {
    const client = create();
    const published = await client.call(`${DEFINITIONS}/PublishDefinition`, { source: workflow(workflowId) });
    expect(published).toMatchObject({ created: true, version: { version: 1 } });
    const listed = await client.call(`${DEFINITIONS}/ListDefinitions`, { search: workflowId });
    expect(listed).toMatchObject({ definitions: [{ workflowId }] });

    const started = await client.call(`${EXECUTIONS}/StartExecution`, { workflowId, input: { n: 41 } });
    expect(started).toMatchObject({ created: true, execution: { status: "EXECUTION_STATUS_RUNNING" } });
    const { executionId } = (started as { execution: { executionId: string } }).execution;

    const watched = client.stream(`${EXECUTIONS}/WatchExecution`, { executionId });
    await client.call(`${EXECUTIONS}/SignalExecution`, { executionId, name: "approve", payload: { by: "ann" } });
    const events = ((await watched) as { events: Record<string, unknown>[] }[]).flatMap((message) => message.events);
    expect(events.map(({ seq }) => Number(seq))).toEqual(events.map((_, i) => i + 1));
    expect(events.at(0)).toHaveProperty("executionStarted");
    expect(events.filter((event) => "signalReceived" in event)).toHaveLength(1);
    expect(events.at(-1)).toHaveProperty("executionCompleted");

    const found = await client.call(`${EXECUTIONS}/GetExecution`, { executionId });
    expect(found).toMatchObject({ execution: { status: "EXECUTION_STATUS_COMPLETED", output: { n: 42 } } });
  });

  it.skipIf(skip)("hears what is wrong, and where", async () => {
    const client = create();
    const refused = client.call(`${DEFINITIONS}/PublishDefinition`, { source: "workflow: { id: broken }" });
    await expect(refused).rejects.toThrow(/has \d+ errors?/);
    await expect(client.call(`${EXECUTIONS}/GetExecution`, { executionId: "not-a-uuid" })).rejects.toThrow(
      /executionId|execution_id/,
    );
  });
});
