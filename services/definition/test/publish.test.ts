import { createHash } from "node:crypto";
import { DefinitionType, FindingSeverity } from "@heddle/proto/heddle/definition/v1/definition_pb.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DefinitionSuite, startDefinitionSuite, workflow } from "./support/suite.ts";

let suite: DefinitionSuite;
beforeAll(async () => {
  suite = await startDefinitionSuite();
});
afterAll(() => suite.stop());

describe("PublishDefinition", () => {
  it("stores version 1, active, with its source, digest and summary", async () => {
    const source = `workflow:
  id: first
  type: dag
  name: The first
  description: of all
  labels: { team: core }
  nodes:
    - { id: a, type: action, subtype: transform, params: { value: 1 } }
    - { id: b, type: action, subtype: transform, params: { value: "\${a.output}" } }
    - { id: c, type: action, subtype: log, params: { message: hello } }
`;
    const answer = await suite.client.publishDefinition({ source });
    expect(answer).toMatchObject({
      created: true,
      findings: [],
      definition: {
        namespace: "default",
        workflowId: "first",
        name: "The first",
        description: "of all",
        type: DefinitionType.DAG,
        labels: { team: "core" },
        activeVersion: 1,
        latestVersion: 1,
      },
      version: {
        version: 1,
        active: true,
        deprecated: false,
        source,
        digest: createHash("sha256").update(source).digest("hex"),
        summary: {
          nodeCount: 3,
          criticalPathLength: 2,
          parallelGroups: [{ nodeIds: ["a", "c"] }, { nodeIds: ["b"] }],
          inferredDependencies: ["b <- a"],
        },
      },
    });
    expect(await suite.client.getDefinition({ workflowId: "first" })).toMatchObject({
      definition: answer.definition,
      version: answer.version,
    });
  });

  it("gives the version that exists for the same text, and tells nobody", async () => {
    const source = workflow("same");
    await suite.client.publishDefinition({ source });
    const again = await suite.client.publishDefinition({ source });
    expect(again).toMatchObject({ created: false, version: { version: 1 }, definition: { latestVersion: 1 } });
    await expect
      .poll(() => suite.eventsOf("same").map(({ event }) => event.case))
      .toEqual(["published", "versionActivated"]);
  });

  it("makes a new version of the text that an earlier version had, when another one is the newest", async () => {
    for (const text of ["a", "b"]) await suite.client.publishDefinition({ source: workflow("back", text) });
    const back = await suite.client.publishDefinition({ source: workflow("back", "a") });
    expect(back).toMatchObject({ created: true, version: { version: 3, active: true } });
  });

  it("stores without activating when asked to, but always activates version 1", async () => {
    const publish = (text: string) =>
      suite.client.publishDefinition({ source: workflow("skip", text, `name: ${text}`), skipActivation: true });
    expect(await publish("one")).toMatchObject({ version: { version: 1, active: true } });
    const second = await publish("two");
    expect(second).toMatchObject({
      version: { version: 2, active: false },
      definition: { activeVersion: 1, latestVersion: 2, name: "one" },
    });
    // The same text once more, and now to be used: no new version, only the activation.
    const third = await suite.client.publishDefinition({ source: workflow("skip", "two", "name: two") });
    expect(third).toMatchObject({
      created: false,
      version: { version: 2, active: true },
      definition: { activeVersion: 2, latestVersion: 2, name: "two" },
    });
  });

  it("gives concurrent publishes of one new workflow distinct versions without gaps", async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => suite.client.publishDefinition({ source: workflow("race", `text ${n}`) })),
    );
    const versions = answers.map(({ version }) => version?.version ?? 0).sort((a, b) => a - b);
    expect(versions).toEqual(Array.from({ length: 12 }, (_, n) => n + 1));
    for (const { version } of answers) {
      const stored = await suite.client.getDefinition({ workflowId: "race", version: version?.version });
      expect(stored.version?.source).toBe(version?.source);
      expect(stored.definition).toMatchObject({ latestVersion: 12, activeVersion: 12 });
    }
  });

  it("makes one version of one text, however many publish it at once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => suite.client.publishDefinition({ source: workflow("crowd") })),
    );
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(answers.map(({ version }) => version?.version))).toEqual(new Set([1]));
  });

  it("keeps namespaces apart", async () => {
    await suite.client.publishDefinition({ source: workflow("shared"), requestId: "shared-1" });
    const other = { namespace: "other", source: workflow("shared", "other"), requestId: "shared-1" };
    expect(await suite.client.publishDefinition(other)).toMatchObject({
      created: true,
      version: { namespace: "other", version: 1 },
    });
    await expect(suite.client.getDefinition({ namespace: "third", workflowId: "shared" })).rejects.toMatchObject({
      reason: "DEFINITION_NOT_FOUND",
    });
  });

  it("refuses a source with all of its errors, each with its place, and stores nothing", async () => {
    const source = `workflow:
  id: broken
  type: dag
  nodes:
    - { id: a, type: action, subtype: transform, params: { value: "\${nowhere.output}" } }
    - { id: b, type: tool, toll: http_request, dependencies: [gone] }
`;
    const error = await suite.client.publishDefinition({ source, fileName: "flow.yaml" }).catch((e: unknown) => e);
    expect(error).toMatchObject({ kind: "invalid_argument", reason: "DEFINITION_INVALID" });
    const { violations, message } = error as { violations: { field: string; description: string }[]; message: string };
    const fields = violations.map(({ field }) => field);
    expect(fields).toContain("flow.yaml:6:28");
    expect(fields).toContain(`flow.yaml:6:${source.split("\n")[5]!.indexOf("gone") + 1}`);
    for (const { field, description } of violations) {
      expect(field).toMatch(/^flow\.yaml:\d+:\d+$/);
      expect(description).toMatch(/^\[HD\d{3} [a-z-]+\] /);
    }
    expect(violations.some(({ description }) => description.includes('"tool"'))).toBe(true);
    expect(message).toContain(`has ${violations.length} errors: flow.yaml:`);
    await expect(suite.client.getDefinition({ workflowId: "broken" })).rejects.toMatchObject({
      reason: "DEFINITION_NOT_FOUND",
    });
  });

  it("names the definition where the caller names no file", async () => {
    await expect(suite.client.publishDefinition({ source: "workflow: {}" })).rejects.toMatchObject({
      violations: expect.arrayContaining([expect.objectContaining({ field: expect.stringMatching(/^definition:1:/) })]),
    });
  });

  it("takes state machines, and checks them by rules of their own", async () => {
    const machine = (target: string) =>
      `workflow:\n  id: door\n  type: state_machine\n  states:\n    - { name: open, transitions: [{ event: close, target: ${target} }] }\n    - { name: closed, type: final }\n`;
    await expect(suite.client.publishDefinition({ source: machine("close") })).rejects.toMatchObject({
      reason: "DEFINITION_INVALID",
      violations: [{ field: "definition:5:59", description: expect.stringMatching(/did you mean "closed"/) }],
    });
    const { version } = await suite.client.publishDefinition({ source: machine("closed") });
    expect(version?.version).toBe(1);
  });

  it("refuses an empty source before it reads it", async () => {
    await expect(suite.client.publishDefinition({ source: "" })).rejects.toMatchObject({
      reason: "REQUEST_INVALID",
      violations: [expect.objectContaining({ field: "source" })],
    });
  });
});

describe("a repeated request id", () => {
  it("gives the same version, also when a newer one is there, and activates nothing again", async () => {
    const first = { source: workflow("retried", "one"), requestId: "retried-1" };
    const second = { source: workflow("retried", "two"), requestId: "retried-2" };
    await suite.client.publishDefinition(first);
    await suite.client.publishDefinition(second);
    await suite.client.activateDefinitionVersion({ workflowId: "retried", version: 1 });
    // Somebody went back to version 1 on purpose: the late repetition must not undo it.
    expect(await suite.client.publishDefinition(second)).toMatchObject({
      created: false,
      version: { version: 2, active: false },
      definition: { activeVersion: 1 },
    });
    expect(await suite.client.publishDefinition(first)).toMatchObject({ created: false, version: { version: 1 } });
  });

  it("publishes once, however many calls race", async () => {
    const request = { source: workflow("raced"), requestId: "raced-1" };
    const answers = await Promise.all(Array.from({ length: 8 }, () => suite.client.publishDefinition(request)));
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
  });

  it("is remembered for a text that existed already", async () => {
    const source = workflow("known");
    await suite.client.publishDefinition({ source });
    await suite.client.publishDefinition({ source, requestId: "known-1" });
    await suite.client.publishDefinition({ source: workflow("known", "newer") });
    expect(await suite.client.publishDefinition({ source, requestId: "known-1" })).toMatchObject({
      created: false,
      version: { version: 1 },
      definition: { activeVersion: 2, latestVersion: 2 },
    });
  });

  it.each([
    ["another workflow", workflow("elsewhere")],
    ["another text", workflow("mine", "changed")],
  ])("is refused for %s, which is not stored", async (_, source) => {
    await suite.client.publishDefinition({ source: workflow("mine"), requestId: "mine-1" });
    await expect(suite.client.publishDefinition({ source, requestId: "mine-1" })).rejects.toMatchObject({
      kind: "failed_precondition",
      reason: "REQUEST_ID_REUSED",
      metadata: { request_id: "mine-1" },
    });
    await expect(suite.client.getDefinition({ workflowId: "elsewhere" })).rejects.toMatchObject({
      reason: "DEFINITION_NOT_FOUND",
    });
    expect(await suite.client.getDefinition({ workflowId: "mine" })).toMatchObject({
      definition: { latestVersion: 1 },
    });
  });

  it("belongs to one of two workflows that use it at the same moment", async () => {
    const answers = await Promise.allSettled(
      ["left", "right"].map((id) => suite.client.publishDefinition({ source: workflow(id), requestId: "both" })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(answers.find((answer) => answer.status === "rejected")?.reason).toMatchObject({
      reason: "REQUEST_ID_REUSED",
    });
  });
});

describe("ValidateDefinition", () => {
  it("says everything that publishing would find, and stores nothing", async () => {
    const source = workflow("checked").replace("transform", "transfrom");
    const { valid, findings, summary } = await suite.client.validateDefinition({ source });
    expect({ valid, summary }).toEqual({ valid: false, summary: undefined });
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      severity: FindingSeverity.ERROR,
      line: 5,
      hint: expect.stringContaining("transform"),
      path: "workflow.nodes[0].subtype",
    });
    const good = await suite.client.validateDefinition({ source: workflow("checked") });
    expect(good).toMatchObject({ valid: true, findings: [], summary: { nodeCount: 1 } });
    await expect(suite.client.getDefinition({ workflowId: "checked" })).rejects.toMatchObject({
      reason: "DEFINITION_NOT_FOUND",
    });
  });
});

it("tells with the activation when the workflow starts by itself", async () => {
  const declaring = workflow("nightly").replace(
    "workflow:\n",
    `workflow:
  schedules: [{ id: night, cron: "0 2 * * *", time_zone: Europe/Berlin, overlap: allow, catch_up_window: 1h, input: { n: 1 } }]
  triggers: [{ id: after, on: { workflow: import, status: failed }, filter: "\${event.version > 1}" }]
`,
  );
  await suite.client.publishDefinition({ source: declaring });
  await suite.client.publishDefinition({ source: workflow("nightly") });
  await suite.client.activateDefinitionVersion({ workflowId: "nightly", version: 1 });
  const declared = (): unknown[] =>
    suite.eventsOf("nightly").flatMap(({ event }) => (event.case === "versionActivated" ? [event.value] : []));
  await expect.poll(declared).toHaveLength(3);
  const schedules = [
    {
      id: "night",
      spec: { case: "cron", value: "0 2 * * *" },
      timeZone: "Europe/Berlin",
      overlap: "allow",
      catchUpWindow: { seconds: 3600n },
      inputJson: '{"n":1}',
    },
  ];
  const source = { case: "executionEnd", value: { workflowId: "import", statuses: ["failed"] } };
  const triggers = [{ id: "after", source, filter: "event.version > 1", inputJson: "" }];
  expect(declared()).toMatchObject([
    { version: 1, schedules, triggers },
    { version: 2, schedules: [], triggers: [] },
    { version: 1, schedules, triggers },
  ]);
});
