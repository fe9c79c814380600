import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DefinitionSuite, startDefinitionSuite, workflow } from "./support/suite.ts";

let suite: DefinitionSuite;
beforeAll(async () => {
  suite = await startDefinitionSuite();
});
afterAll(() => suite.stop());

describe("ActivateDefinitionVersion", () => {
  it("makes a version the active one, with what it says of itself", async () => {
    const publish = (text: string) =>
      suite.client.publishDefinition({
        source: workflow("activate", text, `name: ${text}\n  description: says ${text}\n  labels: { is: ${text} }`),
      });
    await publish("one");
    await publish("two");
    const { definition } = await suite.client.activateDefinitionVersion({ workflowId: "activate", version: 1 });
    const shown = { name: "one", description: "says one", labels: { is: "one" } };
    expect(definition).toMatchObject({ activeVersion: 1, latestVersion: 2, ...shown });
    const found = await suite.client.getDefinition({ workflowId: "activate" });
    expect(found).toMatchObject({ definition: shown, version: { version: 1, active: true } });
  });

  it("tells of a change, and only of a change", async () => {
    for (let n = 0; n < 3; n++) {
      await suite.client.activateDefinitionVersion({ workflowId: "activate", version: 1 });
    }
    await suite.client.activateDefinitionVersion({ workflowId: "activate", version: 2 });
    await expect
      .poll(() =>
        suite
          .eventsOf("activate")
          .flatMap(({ event }) => (event.case === "versionActivated" ? [event.value] : []))
          .map(({ version, previousVersion }) => [previousVersion, version]),
      )
      .toEqual([
        [0, 1],
        [1, 2],
        [2, 1],
        [1, 2],
      ]);
  });

  it("knows no version or definition that is not there", async () => {
    for (const version of [3, 2 ** 32 - 1]) {
      await expect(suite.client.activateDefinitionVersion({ workflowId: "activate", version })).rejects.toMatchObject({
        reason: "VERSION_NOT_FOUND",
        metadata: { latest_version: "2" },
      });
    }
    await expect(suite.client.activateDefinitionVersion({ workflowId: "never", version: 1 })).rejects.toMatchObject({
      reason: "DEFINITION_NOT_FOUND",
    });
    await expect(suite.client.activateDefinitionVersion({ workflowId: "activate" })).rejects.toMatchObject({
      reason: "REQUEST_INVALID",
    });
  });
});

describe("DeleteDefinition", () => {
  it("hides the definition, and publishing it again goes on with its numbers", async () => {
    const source = workflow("deleted");
    await suite.client.publishDefinition({ source });
    await suite.client.publishDefinition({ source: workflow("deleted", "two") });
    await suite.client.deleteDefinition({ workflowId: "deleted" });
    for (const gone of [
      () => suite.client.getDefinition({ workflowId: "deleted" }),
      () => suite.client.getDefinition({ workflowId: "deleted", version: 1 }),
      () => suite.client.listDefinitionVersions({ workflowId: "deleted" }),
      () => suite.client.activateDefinitionVersion({ workflowId: "deleted", version: 1 }),
      () => suite.client.deleteDefinition({ workflowId: "deleted" }),
    ]) {
      await expect(gone()).rejects.toMatchObject({ kind: "not_found", reason: "DEFINITION_NOT_FOUND" });
    }
    // The text of the newest version, and not to be activated: still a new version, and the active one.
    const again = await suite.client.publishDefinition({ source: workflow("deleted", "two"), skipActivation: true });
    expect(again).toMatchObject({
      created: true,
      version: { version: 3, active: true },
      definition: { activeVersion: 3, latestVersion: 3 },
    });
    const { versions } = await suite.client.listDefinitionVersions({ workflowId: "deleted" });
    expect(versions.map(({ version }) => version)).toEqual([3, 2, 1]);
    await expect
      .poll(() => suite.eventsOf("deleted").map(({ seq, event }) => [Number(seq), event.case]))
      .toEqual([
        [1, "published"],
        [2, "versionActivated"],
        [3, "published"],
        [4, "versionActivated"],
        [5, "deleted"],
        [6, "published"],
        [7, "versionActivated"],
      ]);
    const last = suite.eventsOf("deleted").at(-1)?.event;
    expect(last).toMatchObject({ case: "versionActivated", value: { version: 3, previousVersion: 0 } });
  });
});
