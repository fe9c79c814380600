import { DefinitionType } from "@heddle/proto/heddle/definition/v1/definition_pb.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DefinitionSuite, startDefinitionSuite, workflow } from "./support/suite.ts";

let suite: DefinitionSuite;
beforeAll(async () => {
  suite = await startDefinitionSuite();
});
afterAll(() => suite.stop());

/** No integer of Postgres holds it. */
const UINT32_MAX = 2 ** 32 - 1;

describe("GetDefinition", () => {
  it("gives the active version, or the one that is named", async () => {
    for (const text of ["one", "two"]) await suite.client.publishDefinition({ source: workflow("get", text) });
    const active = await suite.client.getDefinition({ workflowId: "get" });
    expect(active.version).toMatchObject({ version: 2, active: true, source: workflow("get", "two") });
    const first = await suite.client.getDefinition({ workflowId: "get", version: 1 });
    expect(first.version).toMatchObject({ version: 1, active: false, source: workflow("get", "one") });
    expect(first.version?.summary).toMatchObject({ nodeCount: 1 });
  });

  it.each([3, UINT32_MAX])("knows no version %d, and says which is the newest", async (version) => {
    await expect(suite.client.getDefinition({ workflowId: "get", version })).rejects.toMatchObject({
      kind: "not_found",
      reason: "VERSION_NOT_FOUND",
      metadata: { workflow_id: "get", version: String(version), latest_version: "2" },
    });
  });

  it("knows no definition that was never published", async () => {
    await expect(suite.client.getDefinition({ workflowId: "never" })).rejects.toMatchObject({
      kind: "not_found",
      reason: "DEFINITION_NOT_FOUND",
    });
  });
});

describe("ListDefinitions", () => {
  const namespace = "list";
  const listIds = async (request: { search?: string; type?: DefinitionType; pageSize?: number } = {}) => {
    const { definitions } = await suite.client.listDefinitions({ namespace, ...request });
    return definitions.map(({ workflowId }) => workflowId);
  };

  beforeAll(async () => {
    const heads: Record<string, string> = {
      alpha: 'name: "100% sure"',
      beta: "description: has an under_score",
      gamma: 'name: "back\\\\slash"',
      "delta-x": "name: Plain",
      "delta-y": "name: PLAIN too",
    };
    for (const [id, head] of Object.entries(heads)) {
      await suite.client.publishDefinition({ namespace, source: workflow(id, "x", head) });
    }
  });

  it("lists a namespace by workflow id", async () => {
    expect(await listIds()).toEqual(["alpha", "beta", "delta-x", "delta-y", "gamma"]);
  });

  it.each([
    ["plain", ["delta-x", "delta-y"]],
    ["DELTA", ["delta-x", "delta-y"]],
    ["UNDER_", ["beta"]],
    // Signs that mean something in a pattern mean themselves.
    ["%", ["alpha"]],
    ["_", ["beta"]],
    ["\\", ["gamma"]],
    ["d%x", []],
    ["' or true --", []],
  ])("finds %j in id, name or description", async (search, found) => {
    expect(await listIds({ search })).toEqual(found);
  });

  it("filters by type", async () => {
    expect(await listIds({ type: DefinitionType.DAG })).toHaveLength(5);
    expect(await listIds({ type: DefinitionType.STATE_MACHINE })).toEqual([]);
  });

  it("pages without losing or repeating one, also when the list grows meanwhile", async () => {
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await suite.client.listDefinitions({ namespace, pageSize: 2, pageToken });
      expect(page.definitions.length).toBeLessThanOrEqual(2);
      seen.push(...page.definitions.map(({ workflowId }) => workflowId));
      pageToken = page.nextPageToken;
      if (seen.length === 2) await suite.client.publishDefinition({ namespace, source: workflow("aaa") });
    } while (pageToken !== "");
    expect(seen).toEqual(["alpha", "beta", "delta-x", "delta-y", "gamma"]);
    const { nextPageToken } = await suite.client.listDefinitions({ namespace, pageSize: 6 });
    expect(nextPageToken).toBe("");
  });

  it("refuses a token of other filters, and one that is none", async () => {
    const { nextPageToken } = await suite.client.listDefinitions({ namespace, pageSize: 1 });
    for (const request of [
      { namespace, search: "a", pageToken: nextPageToken },
      { namespace: "other", pageToken: nextPageToken },
      { namespace, pageToken: "nonsense" },
    ]) {
      await expect(suite.client.listDefinitions(request)).rejects.toMatchObject({ reason: "PAGE_TOKEN_INVALID" });
    }
  });

  it("hides deleted ones", async () => {
    await suite.client.deleteDefinition({ namespace, workflowId: "aaa" });
    expect(await listIds({ search: "a" })).not.toContain("aaa");
  });
});

describe("ListDefinitionVersions", () => {
  it("pages through them, newest first, without sources", async () => {
    for (let n = 1; n <= 5; n++) await suite.client.publishDefinition({ source: workflow("versions", `text ${n}`) });
    await suite.client.activateDefinitionVersion({ workflowId: "versions", version: 2 });
    const seen: number[] = [];
    let pageToken = "";
    let pages = 0;
    do {
      const page = await suite.client.listDefinitionVersions({ workflowId: "versions", pageSize: 2, pageToken });
      for (const { version, active, source, summary, digest } of page.versions) {
        seen.push(version);
        expect({ active, source, summary }).toEqual({ active: version === 2, source: "", summary: undefined });
        expect(digest).toMatch(/^[0-9a-f]{64}$/);
      }
      pageToken = page.nextPageToken;
      pages += 1;
    } while (pageToken !== "");
    expect(seen).toEqual([5, 4, 3, 2, 1]);
    expect(pages).toBe(3);
  });

  it("knows no versions of what is not there", async () => {
    await expect(suite.client.listDefinitionVersions({ workflowId: "never" })).rejects.toMatchObject({
      reason: "DEFINITION_NOT_FOUND",
    });
  });
});

describe("GetPlan", () => {
  it("gives the plan of the active version, and spares the caller the one that it has", async () => {
    for (const text of ["one", "two"]) await suite.client.publishDefinition({ source: workflow("plan", text) });
    const { version, planJson } = await suite.client.getPlan({ workflowId: "plan" });
    expect(version).toBe(2);
    expect(JSON.parse(planJson)).toMatchObject({ format: "heddle.plan/1", workflowId: "plan" });
    expect(planJson).toContain("two");
    expect(await suite.client.getPlan({ workflowId: "plan", knownVersion: 2 })).toMatchObject({
      version: 2,
      planJson: "",
    });
    expect((await suite.client.getPlan({ workflowId: "plan", knownVersion: 1 })).planJson).toBe(planJson);
    expect((await suite.client.getPlan({ workflowId: "plan", version: 1 })).planJson).toContain("one");
  });

  it("serves a version of a deleted definition by its number only", async () => {
    await suite.client.publishDefinition({ source: workflow("gone") });
    await suite.client.deleteDefinition({ workflowId: "gone" });
    expect((await suite.client.getPlan({ workflowId: "gone", version: 1 })).planJson).not.toBe("");
    await expect(suite.client.getPlan({ workflowId: "gone" })).rejects.toMatchObject({
      reason: "DEFINITION_NOT_FOUND",
    });
  });

  it("knows no version that was never published", async () => {
    for (const version of [9, UINT32_MAX]) {
      await expect(suite.client.getPlan({ workflowId: "plan", version })).rejects.toMatchObject({
        reason: "VERSION_NOT_FOUND",
      });
    }
  });
});

describe("what the contract has and this server has not", () => {
  it.each(["deprecateDefinitionVersion", "diffDefinitionVersions"] as const)(
    "%s answers UNIMPLEMENTED with a reason",
    async (method) => {
      const call =
        method === "diffDefinitionVersions"
          ? suite.client.diffDefinitionVersions({ workflowId: "get", fromVersion: 1 })
          : suite.client.deprecateDefinitionVersion({ workflowId: "get", version: 1 });
      await expect(call).rejects.toMatchObject({ kind: "unimplemented", reason: "METHOD_NOT_IMPLEMENTED" });
    },
  );
});
