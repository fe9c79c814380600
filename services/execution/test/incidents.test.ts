import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JsonObject } from "@heddle/engine";
import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { Incident } from "@heddle/proto/heddle/execution/v1/incident_pb.js";
import { createMetrics } from "@heddle/telemetry";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ExecutionServiceOptions } from "../src/index.ts";
import type { Answer } from "./support/scripted-scheduler.ts";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const CHARGE = "type: tool, tool: charge, retry: { max_attempts: 1 }, on_error: incident";
const SOURCES = [
  `workflow: { id: order, type: dag, nodes: [{ id: pay, ${CHARGE}, inputs: "\${input}" }] }`,
  `
workflow:
  id: days
  type: dag
  nodes:
    - id: each-day
      type: control
      subtype: loop
      for_each: [good, bad]
      as: day
      nodes:
        - id: each-hour
          type: control
          subtype: loop
          for_each: [1, 2, 3]
          nodes: [{ id: pay, ${CHARGE}, inputs: { fault: "\${day == 'bad' && item == 3 ? 'closed' : null}" } }]
`,
  `
workflow:
  id: basket
  type: dag
  nodes:
    - id: each
      type: control
      subtype: map
      for_each: [a, b, c]
      nodes: [{ id: pay, ${CHARGE}, inputs: { fault: "\${item == 'b' ? 'closed' : null}" } }]
`,
  `
workflow:
  id: guarded
  type: dag
  nodes:
    - id: try
      type: control
      subtype: group
      on_error: incident
      nodes: [{ id: pay, type: tool, tool: charge, retry: { max_attempts: 1 }, inputs: "\${input}" }]
`,
];

/** A charge fails with what its input says, until it is mended. */
const answer: Answer = (_task, input) => {
  const { fault } = input as { fault?: string | null };
  return fault ? { failure: { type: fault, message: `it is ${fault}`, business: true } } : { output: "paid" };
};

/** The limits of the service that starts next. */
let options: Partial<ExecutionServiceOptions>;
let suite: ExecutionSuite;
beforeEach(async () => {
  options = {};
  suite = await startExecutionSuite(answer, undefined, options);
  for (const source of SOURCES) suite.publish(source);
});
afterEach(() => suite.stop());

/** The projection of the services that start from now on is written by nobody's clock: it stays behind. */
function holdProjections(): void {
  options.journalLimits = { projectionIntervalMs: 3_600_000 };
}

function releaseProjections(): void {
  options.journalLimits = {};
}

async function start(workflowId: string, input: JsonObject = {}): Promise<string> {
  const { execution } = await suite.client.startExecution({ workflowId, input });
  return execution!.executionId;
}

const read = async (executionId: string) => (await suite.client.getExecution({ executionId })).execution!;
const list = async (filter: Parameters<typeof suite.client.listIncidents>[0] = {}): Promise<Incident[]> =>
  (await suite.client.listIncidents(filter)).incidents;
const idsOf = (incidents: readonly Incident[]) => incidents.map(({ executionId }) => executionId);

/** Executions of the incidents that a filter finds, once they are what they should be: lists are behind by a flush. */
async function expectListed(filter: Parameters<typeof list>[0], ids: readonly string[]): Promise<void> {
  await expect.poll(async () => idsOf(await list(filter)), { timeout: 5_000 }).toEqual(ids);
}

/** Starts one whose charge fails, and waits until its incident is open. */
async function fail(fault: string, workflowId = "order"): Promise<string> {
  const id = await start(workflowId, { fault });
  await expect.poll(async () => (await read(id)).openIncidents, { timeout: 5_000 }).toBe(1);
  return id;
}

async function resolve(executionId: string, nodeId = "pay"): Promise<void> {
  await suite.client.resolveIncident({ executionId, nodeId, resolution: { case: "skip", value: true } });
}

describe("incidents of all executions", () => {
  it("are listed with what they are about, found by filters, and gone when they are resolved", async () => {
    const first = await fail("closed");
    const second = await fail("broke");
    const third = await fail("closed", "guarded");
    await start("order");
    await expectListed({}, [first, second, third]);
    const [incident, , ofGroup] = await list();
    expect(incident).toMatchObject({
      executionId: first,
      namespace: "default",
      workflowId: "order",
      version: 1,
      nodeId: "pay",
      kind: "task",
      turns: [],
      attempts: 1,
      failure: { type: "closed", message: "it is closed", nodeId: "pay", business: true },
    });
    expect(ofGroup).toMatchObject({ nodeId: "try", kind: "group", failure: { nodeId: "pay" } });
    await expectListed({ failureType: "closed" }, [first, third]);
    await expectListed({ failureType: "closed", workflowId: "order" }, [first]);
    await expectListed({ nodeId: "try" }, [third]);
    await expectListed({ executionId: second.toUpperCase() }, [second]);
    await expectListed({ openedAfter: ofGroup!.openedAt }, [third]);
    await expectListed({ openedBefore: incident!.openedAt }, []);
    await expectListed({ namespace: "other" }, []);

    const { executions } = await suite.client.listExecutions({ hasIncidents: true });
    expect(executions.map(({ executionId, openIncidents }) => [executionId, openIncidents])).toEqual([
      [third, 1],
      [second, 1],
      [first, 1],
    ]);
    expect((await suite.client.listExecutions({ hasIncidents: true, workflowId: "basket" })).executions).toEqual([]);

    await resolve(second);
    await expectListed({}, [first, third]);
    expect(await read(second)).toMatchObject({ status: ExecutionStatus.COMPLETED, openIncidents: 0 });
    expect((await suite.client.listExecutions({ workflowId: "order", hasIncidents: true })).executions).toHaveLength(1);
  });

  it("tell the turns of loops and the item of a map that they are in", async () => {
    const days = await start("days");
    await expectListed({ workflowId: "days" }, [days]);
    expect((await list())[0]!.turns).toMatchObject([
      { nodeId: "each-day", turn: 2 },
      { nodeId: "each-hour", turn: 3 },
    ]);
    const basket = await start("basket");
    await expect.poll(async () => (await list({ parentExecutionId: basket })).length, { timeout: 5_000 }).toBe(1);
    const [item] = await list({ parentExecutionId: basket });
    expect(item).toMatchObject({
      workflowId: "basket.each",
      parent: { executionId: basket, nodeId: "each[1]" },
    });
    await resolve(item!.executionId);
    await resolve(days);
    await expectListed({}, []);
  });

  it("are listed when the process died before the list was written, and gone when it died after their resolution", async () => {
    holdProjections();
    await suite.restart();
    const id = await fail("closed");
    expect(await list()).toEqual([]);
    releaseProjections();
    await suite.crash();
    await expectListed({}, [id]);
    const [before] = await list();

    holdProjections();
    await suite.crash();
    // It fails again: another incident, in the place of the one that is listed.
    await suite.client.resolveIncident({ executionId: id, nodeId: "pay", resolution: { case: "retry", value: {} } });
    await expect.poll(async () => (await read(id)).openIncidents, { timeout: 5_000 }).toBe(1);
    expect(await list()).toEqual([before]);
    releaseProjections();
    await suite.crash();
    await expect.poll(async () => (await list())[0]?.attempts, { timeout: 5_000 }).toBe(2);
    expect(timestampMs((await list())[0]!.openedAt!)).toBeGreaterThan(timestampMs(before!.openedAt!));
    const stale = { executionId: id, nodeId: "pay", openedAt: before!.openedAt } as const;
    await expect(
      suite.client.resolveIncident({ ...stale, resolution: { case: "fail", value: true } }),
    ).rejects.toMatchObject({ reason: "INCIDENT_NOT_OPEN", kind: "failed_precondition" });

    holdProjections();
    await suite.crash();
    await resolve(id);
    expect(await list()).toHaveLength(1);
    releaseProjections();
    await suite.crash();
    await expectListed({}, []);
  });

  it("are gone when their execution ends otherwise, or their node begins afresh", async () => {
    const [canceled, terminated, reset] = [await fail("closed"), await fail("closed"), await fail("closed")];
    await expectListed({}, [canceled, terminated, reset]);
    await suite.client.cancelExecution({ executionId: canceled });
    await suite.client.terminateExecution({ executionId: terminated });
    await expectListed({}, [reset]);
    const [before] = await list();
    await suite.client.resetExecution({ executionId: reset, fromNodeIds: ["pay"] });
    await expect.poll(async () => (await list())[0]?.attempts, { timeout: 5_000 }).toBe(2);
    expect(await list()).toHaveLength(1);
    expect((await list())[0]!.openedAt).not.toEqual(before!.openedAt);
    await suite.client.terminateExecution({ executionId: reset });
    await suite.client.deleteExecution({ executionId: reset });
    await expectListed({}, []);
  });

  it("are counted for the operators' alert", async () => {
    await expectListed({}, [await fail("closed"), await fail("broke")]);
    const metrics = createMetrics();
    options.metrics = metrics;
    await suite.restart();
    await expect.poll(() => metrics.text(), { timeout: 5_000 }).toMatch(/^heddle_execution_open_incidents 2$/m);
  });

  it("come page by page, while some are resolved, some fail again and some are opened", async () => {
    const ids: string[] = [];
    for (let n = 0; n < 9; n++) ids.push(await fail("closed"));
    await expectListed({}, ids);
    const seen: string[] = [];
    const retried = ids[1]!;
    const changes = [
      // On the page before, and on the page to come.
      () => Promise.all([resolve(ids[0]!), resolve(ids[4]!)]),
      // The very one that the token was made of, which fails again.
      () =>
        suite.client.resolveIncident({
          executionId: retried,
          nodeId: "pay",
          resolution: { case: "retry", value: {} },
        }),
      () => fail("closed").then((id) => ids.push(id)),
    ];
    let pageToken = "";
    do {
      const page = await suite.client.listIncidents({ pageSize: 2, pageToken, workflowId: "order" });
      seen.push(...idsOf(page.incidents));
      pageToken = page.nextPageToken;
      await changes.shift()?.();
      await flushed();
    } while (pageToken !== "");
    const stayed = ids.filter((_, index) => ![0, 1, 4].includes(index));
    expect(seen.filter((id) => stayed.includes(id))).toEqual(stayed);
    // Seen, and once more as the incident that it became.
    expect(seen.filter((id) => id === retried)).toEqual([retried, retried]);
    expect(seen).not.toContain(ids[4]);
    await expect(suite.client.listIncidents({ pageToken: "nonsense" })).rejects.toMatchObject({
      reason: "PAGE_TOKEN_INVALID",
    });
  });
});

/** All that was committed until now is in the lists. */
async function flushed(): Promise<void> {
  const id = await start("order", { fault: "marker" });
  await expect.poll(async () => idsOf(await list({ executionId: id })), { timeout: 5_000 }).toEqual([id]);
  await resolve(id);
  await expectListed({ executionId: id }, []);
}
