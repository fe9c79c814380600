import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, type TestContext } from "vitest";
import { parseAllDocuments } from "yaml";
import { runProgram } from "../interop/program.ts";
import { CHART, type KubernetesObject, renderChart } from "./chart.ts";
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
  expect(output).toMatch(/Valid: 20, Invalid: 0, Errors: 0, Skipped: 0/);
});

/** Objects of examples/kubernetes. */
function listExamples(): KubernetesObject[] {
  const files = readdirSync(EXAMPLES).filter((file) => file.endsWith(".yaml") && file !== "values.yaml");
  return files.flatMap((file) =>
    parseAllDocuments(readFileSync(join(EXAMPLES, file), "utf8")).map(
      (document) => document.toJS() as KubernetesObject,
    ),
  );
}

it("the pods of examples/kubernetes run under PodSecurity `restricted`, which the namespace enforces", () => {
  const objects = listExamples();
  const namespace = objects.find(({ kind }) => kind === "Namespace");
  expect(namespace?.metadata.labels?.["pod-security.kubernetes.io/enforce"]).toBe("restricted");
  const brokers = objects.find(({ kind }) => kind === "Kafka")?.spec.kafka.template;
  const jobs = objects.filter(({ kind }) => kind === "Job").map(({ spec }) => spec.template.spec);
  expect(jobs).toHaveLength(1);
  const pods = [
    { pod: brokers.pod, containers: [brokers.kafkaContainer] },
    ...jobs.map((pod) => ({ pod, containers: pod.containers })),
  ];
  for (const { pod, containers } of pods) {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    for (const { securityContext } of containers) {
      expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } });
    }
  }
});

it("the manifests of examples/kubernetes read no Secret that none of them makes", () => {
  const objects = listExamples();
  const made = objects.flatMap(({ kind, metadata, spec }) =>
    kind === "Secret" ? [metadata.name] : kind === "Certificate" ? [spec.secretName] : [],
  );
  const text = JSON.stringify(objects.filter(({ kind }) => !["Secret", "Certificate"].includes(kind)));
  const read = [
    ...text.matchAll(/"secretName":"([^"]+)"/g),
    ...text.matchAll(/"(?:passwordSecret|accessKeyId|secretAccessKey)":\{"name":"([^"]+)"/g),
  ].map(([, name]) => name);
  expect(new Set(read).size).toBe(11);
  expect(read.filter((name) => !made.includes(name))).toEqual([]);
});

it("lets the doctor of examples/kubernetes in, and denies it nothing", async (context) => {
  const { objects } = await renderChart(need(context, tools.helm), "production");
  const policy = (name: string): KubernetesObject["spec"] =>
    objects.find(({ kind, metadata }) => kind === "NetworkPolicy" && metadata.name === name)?.spec;
  const labels = listExamples().find(({ kind }) => kind === "Job")?.spec.template.metadata.labels;
  const selected = (selector: { matchLabels?: Record<string, string> }): boolean =>
    Object.entries(selector.matchLabels ?? {}).every(([label, value]) => labels[label] === value);
  expect(selected(policy("heddle-default-deny").podSelector)).toBe(false);
  const peers = policy("heddle-gateway").ingress[0].from as { podSelector?: { matchLabels: Record<string, string> } }[];
  expect(peers.some(({ podSelector }) => podSelector !== undefined && selected(podSelector))).toBe(true);
});

it("would notice a field that an operator does not know", async (context) => {
  const path = join(folder, "odd.yaml");
  writeFileSync(
    path,
    "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: { name: x }\nspec: { instances: 1, instance: 2 }\n",
  );
  expect(await validate(context, path)).toContain("Invalid: 1,");
});

it.for(["examples/kubernetes/values.yaml", "docs/operate/install.md"])(
  "the values of %s are values of the chart, with images of one's own",
  async (page, context) => {
    const text = readFileSync(page, "utf8");
    const values = join(folder, "page.values.yaml");
    writeFileSync(values, page.endsWith(".md") ? (/^# my-values.yaml\n[^]*?(?=^```)/m.exec(text)?.[0] ?? "") : text);
    const { code, stdout, stderr } = await runProgram(need(context, tools.helm), [
      "template",
      "heddle",
      CHART,
      "--values",
      values,
    ]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    // A name without a registry means Docker Hub's.
    expect(stdout.toString()).not.toMatch(/image: heddle\//);
  },
);
