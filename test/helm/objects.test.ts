import { readFileSync } from "node:fs";
import { servicePorts } from "@heddle/service-process";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { CallEdge } from "../architecture/deployment/call-graph.ts";
import { listServices } from "../architecture/deployment/services.ts";
import { type KubernetesObject, type Rendering, renderChart, VALUE_SETS } from "./chart.ts";
import { findHelm } from "./tools.ts";

const helm = await findHelm();
const reason = "missing" in helm ? helm.missing : "";
const rendered = new Map<string, Rendering>();
beforeAll(async () => {
  if ("missing" in helm) return;
  for (const set of VALUE_SETS) rendered.set(set, await renderChart(helm.path, set));
});

const of = (set: string, kind: string): KubernetesObject[] =>
  (rendered.get(set) as Rendering).objects.filter((object) => object.kind === kind);
const one = (set: string, kind: string, name: string): KubernetesObject => {
  const found = of(set, kind).find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw new Error(`${set} has no ${kind} ${name}`);
  return found;
};
const podsOf = (set: string): KubernetesObject["spec"][] =>
  [...of(set, "Deployment"), ...of(set, "Job")].map(({ spec }) => spec.template.spec);

interface EnvEntry {
  name: string;
  value?: string;
  valueFrom?: { fieldRef: { fieldPath: string } };
}

/** The variables of a container, with what the cluster would put in. Secrets by file have a stand-in. */
function environmentOf(container: { env: EnvEntry[] }): Record<string, string> {
  const fields: Record<string, string> = { "status.podIP": "10.1.2.3", "metadata.name": "pod-1" };
  const env: Record<string, string> = {};
  for (const { name, value, valueFrom } of container.env) {
    env[name] = (value ?? fields[valueFrom?.fieldRef.fieldPath ?? ""] ?? "").replaceAll(
      /\$\((\w+)\)/g,
      (_, other: string) => env[other] ?? "",
    );
  }
  if (env["DATABASE_URL_FILE"] !== undefined) {
    delete env["DATABASE_URL_FILE"];
    env["DATABASE_URL"] = "postgres://user:password@db/heddle";
  }
  for (const name of ["OPENAI_API_KEY", "KAFKA_SASL_PASSWORD"]) {
    if (env[`${name}_FILE`] === undefined) continue;
    delete env[`${name}_FILE`];
    env[name] = "s3cret";
  }
  return env;
}

describe.skipIf(reason !== "")(`objects of the chart ${reason}`, () => {
  describe.each(VALUE_SETS)("with the values %s", (set) => {
    it("starts each service with settings that it takes", () => {
      for (const { name, config } of listServices()) {
        const deployment = of(set, "Deployment").find(
          ({ metadata }) => metadata.labels?.["app.kubernetes.io/component"] === name,
        );
        if (deployment === undefined) continue;
        const [container] = deployment.spec.template.spec.containers;
        const env = environmentOf(container);
        for (const variable of Object.keys(env)) {
          if (variable !== "POD_IP") expect(Object.keys(config.settings), name).toContain(variable);
        }
        const values = config.parse(env) as Record<string, unknown>;
        expect(values["HEDDLE_PORT"]).toBe(servicePorts[name as keyof typeof servicePorts]);
        expect(container.ports).toEqual([{ name: "grpc", containerPort: values["HEDDLE_PORT"], protocol: "TCP" }]);
      }
    });

    it("gives addresses at which Services of this release listen", () => {
      const scheme = of(set, "Certificate").length > 0 ? "https" : "http";
      const listening = of(set, "Service").flatMap(({ metadata, spec }) =>
        spec.ports.map(({ port }: { port: number }) => `${scheme}://${metadata.name}:${port}`),
      );
      for (const { containers } of podsOf(set)) {
        for (const { name, value } of containers[0].env as EnvEntry[]) {
          if (/^HEDDLE_(\w+_)?ADDRESS$/.test(name)) {
            expect(listening).toContain(value);
          }
        }
      }
    });

    it("runs every pod under PodSecurity `restricted`, without a token", () => {
      expect(podsOf(set).length).toBeGreaterThan(3);
      for (const pod of podsOf(set)) {
        expect(pod).toMatchObject({
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
        });
        expect(pod.hostNetwork ?? pod.hostPID ?? pod.hostIPC).toBeUndefined();
        for (const container of pod.containers) {
          expect(container.securityContext).toEqual({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            runAsNonRoot: true,
            capabilities: { drop: ["ALL"] },
          });
          expect(Object.keys(container.resources.requests)).toEqual(["cpu", "memory"]);
          expect(container.resources.limits.memory).toBeDefined();
        }
        for (const volume of pod.volumes ?? []) {
          expect(Object.keys(volume).filter((key) => key !== "name")[0]).toMatch(/^(secret|configMap)$/);
        }
      }
    });

    it("gives a process the time that its drain takes", () => {
      for (const { spec } of of(set, "Deployment")) {
        const pod = spec.template.spec;
        const sleep = pod.containers[0].lifecycle.preStop.sleep.seconds as number;
        const drain = /^(\d+)m$/.exec(
          (pod.containers[0].env as EnvEntry[]).find(({ name }) => name === "HEDDLE_WORKER_DRAIN")?.value ?? "",
        );
        expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
          sleep + (drain === null ? 30 : Number(drain[1]) * 60 + 5),
        );
      }
    });

    it("selects pods by labels that they have, each Service those of one service", () => {
      const pods = of(set, "Deployment").map(({ spec }) => spec.template.metadata.labels as Record<string, string>);
      const selectors = [
        ...of(set, "Service").map(({ spec }) => spec.selector),
        ...of(set, "Deployment").map(({ spec }) => spec.selector.matchLabels),
        ...of(set, "PodDisruptionBudget").map(({ spec }) => spec.selector.matchLabels),
      ] as Record<string, string>[];
      for (const selector of selectors) {
        const matched = pods.filter((labels) => Object.entries(selector).every(([key, text]) => labels[key] === text));
        expect(matched).toHaveLength(1);
      }
    });

    it("names nothing longer than Kubernetes takes, and nothing twice", () => {
      const { objects } = rendered.get(set) as Rendering;
      const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
      expect(new Set(names).size).toBe(names.length);
      for (const { metadata } of objects) {
        expect(metadata.name.length).toBeLessThanOrEqual(63);
        expect(metadata.namespace).toBe("flows");
      }
    });
  });

  it("lets services reach whom the call graph names, and nobody else", () => {
    const { calls } = parse(readFileSync("deploy/call-graph.yaml", "utf8")) as { calls: CallEdge[] };
    const component = "app.kubernetes.io/component";
    const names = Object.keys(servicePorts);
    for (const name of names) {
      const { spec } = one("production", "NetworkPolicy", `heddle-${name}`);
      const peers = (rules: { to?: KubernetesObject["spec"][]; from?: KubernetesObject["spec"][] }[]): string[] =>
        rules
          .flatMap(({ to, from }) => to ?? from ?? [])
          .map((peer) => peer.podSelector?.matchLabels?.[component] as string | undefined)
          .filter((peer) => peer !== undefined);
      const called = [...new Set(calls.filter(({ from }) => from === name).map(({ to }) => to))];
      expect(peers(spec.egress).toSorted()).toEqual(called.toSorted());
      const callers = [...new Set(calls.filter(({ to }) => to === name).map(({ from }) => from))];
      // The gateway takes whoever edgeFrom names, and all pods of the release.
      expect(peers(spec.ingress).toSorted()).toEqual(name === "gateway" ? [] : callers.toSorted());
    }
    const deny = one("production", "NetworkPolicy", "heddle-default-deny");
    expect(deny.spec).toMatchObject({ policyTypes: ["Ingress", "Egress"] });
    expect(deny.spec.ingress ?? deny.spec.egress).toBeUndefined();
  });

  it("opens ports of Postgres and Kafka only to those who keep or tell something", () => {
    for (const name of Object.keys(servicePorts)) {
      const { spec } = one("minimal", "NetworkPolicy", `heddle-${name}`);
      const ports = (spec.egress as { ports?: { port: number }[]; to?: unknown }[])
        .filter(({ to }) => to === undefined)
        .flatMap(({ ports: list = [] }) => list.map(({ port }) => port));
      const isStateful = !["gateway", "worker"].includes(name);
      expect(ports.includes(5432)).toBe(isStateful);
      expect(ports.includes(9092)).toBe(isStateful);
    }
  });

  it("opens ports to whoever reads metrics only where reading is all that a stranger may do", async () => {
    const anyone = [{ namespaceSelector: {} }];
    const openTo = ({ objects }: Rendering): string[] =>
      objects
        .filter(
          ({ kind, spec }) =>
            kind === "NetworkPolicy" && JSON.stringify(spec.ingress)?.includes(JSON.stringify(anyone)),
        )
        .map(({ metadata }) => metadata.name);
    for (const set of VALUE_SETS) expect(openTo(rendered.get(set) as Rendering)).toEqual([]);
    const { path } = helm as { path: string };
    const monitored = ["--set", "monitoring.serviceMonitor.enabled=true"];
    const certified = [...monitored, "--set", "tls.edge.clientCertificates=true"];
    expect(openTo(await renderChart(path, "secured", certified))).toHaveLength(6);
    await expect(renderChart(path, "secured", monitored)).rejects.toThrow("that of gateway takes calls without");
    const changing = [...certified, "--set", "tls.cleartext=all"];
    await expect(renderChart(path, "secured", changing)).rejects.toThrow("networkPolicy.metricsFrom is empty");
    const named = [...monitored, "--set", "networkPolicy.metricsFrom[0].podSelector.matchLabels.app=prometheus"];
    expect(openTo(await renderChart(path, "minimal", named))).toEqual([]);
  });

  it("without a gateway names it nowhere", async () => {
    const { path } = helm as { path: string };
    const { objects, text } = await renderChart(path, "minimal", ["--set", "services.gateway.enabled=false"]);
    expect(objects.map(({ metadata }) => metadata.name)).not.toContain("heddle-test");
    expect(text).not.toMatch(/gateway|\/\/heddle:/);
  });

  it("gives a worker the address that is given for it, once", async () => {
    const { path } = helm as { path: string };
    const alone = ["gateway", "scheduler"].flatMap((name) => ["--set", `services.${name}.enabled=false`]);
    const address = ["--set", "services.worker.env.HEDDLE_ADDRESS=https://edge.example"];
    const { objects } = await renderChart(path, "minimal", [...alone, ...address]);
    const worker = objects.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === "heddle-worker");
    const env = worker?.spec.template.spec.containers[0].env as EnvEntry[];
    expect(env.filter(({ name }) => name === "HEDDLE_ADDRESS")).toEqual([
      { name: "HEDDLE_ADDRESS", value: "https://edge.example" },
    ]);
  });

  it("labels pods with what is given for them rather than for every object", async () => {
    const { path } = helm as { path: string };
    const { objects } = await renderChart(path, "production", ["--set", "defaults.podLabels.team=flows"]);
    const deployment = objects.find(({ kind }) => kind === "Deployment");
    expect(deployment?.metadata.labels?.["team"]).toBe("platform");
    expect(deployment?.spec.template.metadata.labels.team).toBe("flows");
  });

  it("migrates as the owner of the schema, for the role that serves", () => {
    const jobs = of("minimal", "Job").filter(({ metadata }) => metadata.name.endsWith("-migrate"));
    expect(jobs.map(({ metadata }) => metadata.name)).toEqual(
      ["definition", "execution", "scheduler", "statemachine"].map((name) => `heddle-${name}-migrate`),
    );
    for (const { metadata, spec } of jobs) {
      const name = metadata.labels?.["app.kubernetes.io/component"]?.replace("-migrate", "") ?? "";
      const pod = spec.template.spec;
      expect(metadata.annotations?.["helm.sh/hook"]).toBe("pre-install,pre-upgrade");
      expect(pod.volumes[0].secret.items).toEqual([{ key: `${name}-migrate-url`, path: "url" }]);
      expect(environmentOf(pod.containers[0])["HEDDLE_DATABASE_GRANT_TO"]).toBe(`heddle_${name}`);
      const serving = one("minimal", "Deployment", `heddle-${name}`).spec.template.spec;
      expect(serving.volumes[0].secret.items).toEqual([{ key: `${name}-url`, path: "url" }]);
    }
    expect(of("parts", "Job").map(({ metadata }) => metadata.name)).toEqual(["heddle-test"]);
  });

  it("leaves the number of pods to whatever scales them", () => {
    for (const name of ["gateway", "execution", "worker"]) {
      expect(one("autoscaled", "Deployment", `flow-${name}`).spec.replicas).toBeUndefined();
      expect(one("autoscaled", "HorizontalPodAutoscaler", `flow-${name}`).spec.scaleTargetRef.name).toBe(
        `flow-${name}`,
      );
    }
    expect(of("autoscaled", "HorizontalPodAutoscaler")).toHaveLength(3);
  });

  it("has no budget over a single pod: its node could never be drained", () => {
    expect(of("single-role", "PodDisruptionBudget")).toEqual([]);
    expect(of("minimal", "PodDisruptionBudget")).toHaveLength(6);
  });

  it("makes the topics of deploy/topics.yaml, with the copies that were asked for", () => {
    const { data } = one("minimal", "ConfigMap", "heddle-topics");
    const { topics } = parse(data?.["topics.yaml"] ?? "") as { topics: Record<string, unknown>[] };
    const source = parse(readFileSync("deploy/topics.yaml", "utf8")) as { topics: Record<string, object>[] };
    expect(topics).toEqual(
      source.topics.map((topic) => ({
        ...topic,
        replicationFactor: 3,
        config: { ...topic["config"], "min.insync.replicas": "2" },
      })),
    );
  });
});
