import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, type TestContext } from "vitest";
import { runProgram } from "../interop/program.ts";
import { CHART, renderChart } from "./chart.ts";
import { findHelm, findKubeconform, findSchemas, type Tool } from "./tools.ts";

// Kinds that operators bring (Prometheus, Gateway API, cert-manager, CloudNativePG, Strimzi). `schemas/` has the part of each that is used here.
const VERSION = "1.36";
const EXAMPLES = "examples/kubernetes";
const SCHEMAS = "test/helm/schemas/{{ .Group }}_{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json";

const tools = { helm: await findHelm(), kubeconform: await findKubeconform(), schemas: await findSchemas() };
const folder = mkdtempSync(join(tmpdir(), "heddle-kinds-"));
afterAll(() => rmSync(folder, { recursive: true }));

function need(context: TestContext, tool: Tool): string {
  if ("missing" in tool) return context.skip(tool.missing);
  return tool.path;
}

async function validate(context: TestContext, ...files: string[]): Promise<string> {
  const kubeconform = need(context, tools.kubeconform);
  const own = `${need(context, tools.schemas)}/{{ .NormalizedKubernetesVersion }}{{ .StrictSuffix }}/{{ .ResourceKind }}{{ .KindSuffix }}.json`;
  const { stdout } = await runProgram(kubeconform, [
    "-strict",
    "-summary",
    `-kubernetes-version=${VERSION}.0`,
    "-schema-location",
    own,
    "-schema-location",
    SCHEMAS,
    ...files,
  ]);
  return stdout.toString();
}

it("the chart's monitors, rules and routes are valid", async (context) => {
  const { objects, text } = await renderChart(need(context, tools.helm), "production");
  const kinds = objects.map(({ kind }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(["ServiceMonitor", "PrometheusRule", "GRPCRoute", "HTTPRoute"]));
  const path = join(folder, "production.yaml");
  writeFileSync(path, text);
  expect(await validate(context, path)).toContain(`Valid: ${objects.length}, Invalid: 0, Errors: 0, Skipped: 0`);
});

it("gives each kind of route host names of its own, as a Gateway refuses the second kind for a name", async (context) => {
  const { objects } = await renderChart(need(context, tools.helm), "production");
  const hostsOf = (wanted: string): string[] => objects.find(({ kind }) => kind === wanted)?.spec.hostnames ?? [];
  expect(hostsOf("HTTPRoute")).toEqual(["heddle.example"]);
  expect(hostsOf("GRPCRoute")).toEqual(["grpc.heddle.example"]);
});

it("gives a route of one kind alone where the other has no host name", async (context) => {
  const one = ["--set", "gatewayApi.grpcHostnames=null"];
  const { objects } = await renderChart(need(context, tools.helm), "production", one);
  expect(objects.filter(({ kind }) => kind.endsWith("Route")).map(({ kind }) => kind)).toEqual(["HTTPRoute"]);
});

it("the chart's certificates are valid, and each service has one with its names", async (context) => {
  const { objects, text } = await renderChart(need(context, tools.helm), "secured");
  const path = join(folder, "secured.yaml");
  writeFileSync(path, text);
  expect(await validate(context, path)).toContain(`Valid: ${objects.length}, Invalid: 0, Errors: 0, Skipped: 0`);
  const certificates = objects.filter(({ kind }) => kind === "Certificate");
  expect(certificates.map(({ metadata }) => metadata.name)).toEqual(
    objects.filter(({ kind }) => kind === "Deployment").map(({ metadata }) => metadata.name),
  );
  for (const { metadata, spec } of certificates) {
    expect(spec.dnsNames).toContain(metadata.name);
    expect(spec.dnsNames).toContain(`${metadata.name}.flows.svc.cluster.local`);
  }
});

it("the manifests of examples/kubernetes are valid", async (context) => {
  const files = readdirSync(EXAMPLES).filter((file) => file.endsWith(".yaml") && file !== "values.yaml");
  const output = await validate(context, ...files.map((file) => join(EXAMPLES, file)));
  expect(output).toMatch(/Valid: 18, Invalid: 0, Errors: 0, Skipped: 0/);
});

it("would notice a field that an operator does not know", async (context) => {
  const path = join(folder, "odd.yaml");
  writeFileSync(
    path,
    "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: { name: x }\nspec: { instances: 1, instance: 2 }\n",
  );
  expect(await validate(context, path)).toContain("Invalid: 1,");
});

it("the values of examples/kubernetes are values of the chart", async (context) => {
  const { code, stderr } = await runProgram(need(context, tools.helm), [
    "template",
    "heddle",
    CHART,
    "--values",
    `${EXAMPLES}/values.yaml`,
  ]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
});
