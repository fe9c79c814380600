import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { runProgram } from "../interop/program.ts";
import { CHART, goldenFile, type Rendering, renderChart, runHelm, VALUE_SETS, valuesFile } from "./chart.ts";
import { findHelm, findKubeconform, findKubeScore, findSchemas, KUBERNETES_VERSIONS, type Tool } from "./tools.ts";

/** Kinds that Kubernetes itself has no schema of; `other-kinds.test.ts` looks at them. */
const FOREIGN = ["ServiceMonitor", "PrometheusRule", "GRPCRoute", "HTTPRoute", "Certificate"];

const tools = {
  helm: await findHelm(),
  kubeconform: await findKubeconform(),
  kubeScore: await findKubeScore(),
  schemas: await findSchemas(),
};
const folder = mkdtempSync(join(tmpdir(), "heddle-chart-"));
const rendered = new Map<string, Rendering>();
beforeAll(async () => {
  if ("missing" in tools.helm) return;
  for (const set of VALUE_SETS) {
    const rendering = await renderChart(tools.helm.path, set);
    rendered.set(set, rendering);
    writeFileSync(join(folder, `${set}.yaml`), rendering.text);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The path of a tool; without it, or without helm, the test is skipped with the remedy. */
function need(context: TestContext, tool: Tool): string {
  for (const one of [tools.helm, tool]) if ("missing" in one) context.skip(one.missing);
  return (tool as { path: string }).path;
}

describe.each(VALUE_SETS)("with the values %s", (set) => {
  it("passes helm lint", async (context) => {
    const helm = need(context, tools.helm);
    const { code, stdout } = await runProgram(helm, ["lint", "--strict", CHART, "-f", valuesFile(set)]);
    expect(stdout.toString()).toContain("0 chart(s) failed");
    expect(code).toBe(0);
  });

  it("gives what the golden file says", (context) => {
    need(context, tools.helm);
    const { text } = rendered.get(set) as Rendering;
    if (process.env["REWRITE"] === "1") writeFileSync(goldenFile(set), text);
    expect(text.split("\n"), "write it anew: REWRITE=1 make test ONLY=test/helm").toEqual(
      readFileSync(goldenFile(set), "utf8").split("\n"),
    );
  });

  it("has no finding of kube-score that the chart does not explain", async (context) => {
    const kubeScore = need(context, tools.kubeScore);
    expect(readFileSync(`${CHART}/Chart.yaml`, "utf8")).toContain("--ignore-container-cpu-limit: a limit would");
    const { stdout } = await runProgram(kubeScore, [
      "score",
      "--ignore-container-cpu-limit",
      "--output-format=ci",
      "--kubernetes-version=v1.36",
      join(folder, `${set}.yaml`),
    ]);
    const lines = stdout.toString().trim().split("\n");
    expect(lines.filter((line) => line.startsWith("[OK]")).length).toBeGreaterThan(10);
    // What these values turn off on purpose.
    const accepted = set === "single-role" ? /NetworkPolicy|PodDisruptionBudget|few replicas/ : /^$/;
    expect(lines.filter((line) => /^\[(CRITICAL|WARNING)\]/.test(line) && !accepted.test(line))).toEqual([]);
  });
});

async function validate(context: TestContext, version: string, files: readonly string[]): Promise<string> {
  const kubeconform = need(context, tools.kubeconform);
  const schemas = need(context, tools.schemas);
  const { stdout } = await runProgram(kubeconform, [
    "-strict",
    "-summary",
    `-skip=${FOREIGN.join(",")}`,
    `-kubernetes-version=${version}.0`,
    "-schema-location",
    `${schemas}/{{ .NormalizedKubernetesVersion }}{{ .StrictSuffix }}/{{ .ResourceKind }}{{ .KindSuffix }}.json`,
    ...files,
  ]);
  return stdout.toString();
}

describe.each(KUBERNETES_VERSIONS)("for Kubernetes %s", (version) => {
  it("all objects are valid", async (context) => {
    const output = await validate(
      context,
      version,
      VALUE_SETS.map((set) => join(folder, `${set}.yaml`)),
    );
    const objects = [...rendered.values()].flatMap((rendering) => rendering.objects);
    const own = objects.filter(({ kind }) => !FOREIGN.includes(kind)).length;
    // A schema that it cannot find is skipped in silence: what counts is how many were valid.
    expect(output).toContain(`Valid: ${own}, Invalid: 0, Errors: 0`);
  });
});

it("would notice a field that does not exist", async (context) => {
  need(context, tools.helm);
  const path = join(folder, "odd.yaml");
  writeFileSync(path, (rendered.get("minimal") as Rendering).text.replace("minReadySeconds", "minReadySecond"));
  expect(await validate(context, "1.31", [path])).toContain("Invalid: 1,");
});

const ROUTES = "gatewayApi.enabled=true,gatewayApi.parentRefs[0].name=x,gatewayApi.hostnames={a.example}";
const NO_GATEWAY = "services.gateway.enabled=false";

it.for([
  ["a name that is not there", "loglevel=info", "additional properties 'loglevel' not allowed"],
  ["a service that is not there", "services.executions.replicas=2", "additional properties 'executions' not allowed"],
  ["a slip within a service", "services.execution.replica=2", "additional properties 'replica' not allowed"],
  ["a slip within the defaults", "defaults.preStopSecond=2", "additional properties 'preStopSecond' not allowed"],
  ["a word for a number", "services.worker.replicas=many", "got string, want integer"],
  ["a level of logs that is none", "logLevel=loud", "must be one of"],
  ["a broker without a port", "kafka.brokers={kafka}", "does not match pattern"],
  ["no pause before SIGTERM", "defaults.preStopSeconds=0", "minimum"],
  ["no Secret", "database.existingSecret=", "database.existingSecret is missing: name the Secret"],
  ["no brokers", "kafka.brokers=null", "kafka.brokers is empty"],
  ["an Ingress for every host", "ingress.enabled=true", "ingress.host is missing"],
  ["routes without a gateway", "gatewayApi.enabled=true", "gatewayApi.parentRefs is empty"],
  ["TLS without a certificate", "tls.enabled=true", "tls.secretName is missing: name the Secret"],
  ["certificates that nobody signs", "tls.enabled=true,tls.certManager.enabled=true", "issuerRef.name is missing"],
  ["calls that nobody takes", "tls.enabled=true,tls.secretName=x,tls.calls=false", "would call each other in vain"],
  [
    "an authority of no certificate",
    "tls.enabled=true,tls.secretName=x,tls.edge.privateAuthority=true",
    "tls.edge.secretName is missing",
  ],
  ["metrics that open the port to all", "monitoring.serviceMonitor.enabled=true", "networkPolicy.metricsFrom is empty"],
  [
    "metrics that open the edge to all",
    "monitoring.serviceMonitor.enabled=true,tls.enabled=true,tls.secretName=x,tls.edge.clientCertificates=false",
    "that of gateway takes calls without a certificate",
  ],
  ["routes without a name", "gatewayApi.enabled=true,gatewayApi.parentRefs[0].name=x", "give host names"],
  [
    "two kinds of routes for a name",
    `${ROUTES},gatewayApi.grpcHostnames={a.example}`,
    "a.example of hostnames and a.example",
  ],
  ["two kinds of routes for a wildcard", `${ROUTES},gatewayApi.grpcHostnames={*.example}`, "overlap"],
  ["an Ingress to no gateway", `${NO_GATEWAY},ingress.enabled=true,ingress.host=x`, "would lead nowhere"],
  ["routes to no gateway", `${NO_GATEWAY},${ROUTES}`, "would lead nowhere"],
  [
    "a worker that has nobody to call",
    `${NO_GATEWAY},services.scheduler.enabled=false`,
    "neither a gateway nor a scheduler",
  ],
  [
    "an autoscaler that looks at nothing",
    "services.worker.autoscaling.enabled=true,services.worker.autoscaling.cpuPercent=0",
    "services.worker.autoscaling: cpuPercent is 0",
  ],
  ["labels that select", "commonLabels.app\\.kubernetes\\.io/name=x", "app.kubernetes.io/name"],
  ["labels of pods that select", "defaults.podLabels.app\\.kubernetes\\.io/component=x", "app.kubernetes.io/component"],
  ["an edge without a name", "tls.enabled=true,tls.secretName=x,tls.edge.secretName=y", "tls.edge.dnsNames is empty"],
  ["ports without probes", "tls.cleartext=none", "must be one of"],
  ["a user of Kafka without a password", "kafka.sasl.mechanism=plain", "kafka.sasl.passwordSecret is missing"],
  ["half a place of a Secret", "database.caSecret.secret=x", "key"],
  ["more copies in sync than there are", "kafka.topics.minInsyncReplicas=4", "above replicationFactor"],
] as const)("refuses %s", async ([, setting, message], context) => {
  const helm = need(context, tools.helm);
  const { code, stderr } = await runHelm(helm, "minimal", ["--set", setting]);
  expect(stderr).toContain(message);
  expect(code).not.toBe(0);
});
