import { readFileSync } from "node:fs";
import { servicePorts } from "@heddle/service-process";
import { parse } from "yaml";
import { metricsOf } from "../../architecture/deployment/exported-metrics.ts";
import { isReady } from "../kube.ts";
import type { LoadPod } from "../load-pod.ts";
import { addressOf, type Check, eventually, expectThat, type Session } from "../session.ts";

export function nothingLost(load: () => LoadPod): Check {
  return {
    name: "every start ended once, with its own result",
    async run() {
      const { started, completed, failures, duplicates } = await load().stop();
      expectThat(failures.length === 0, failures.join("\n"));
      expectThat(started === completed, `${started} started, ${completed} completed`);
      expectThat(duplicates === 0, `${duplicates} executions more than keys`);
      return `${completed} executions`;
    },
  };
}

export const doctor: Check = {
  name: "heddle doctor is clean, events on Kafka included",
  async run(session) {
    const { kube, config, tls } = session;
    const name = "doctor";
    await kube.apply({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name, namespace: kube.namespace },
      spec: {
        backoffLimit: 0,
        activeDeadlineSeconds: 300,
        template: {
          metadata: { labels: { app: name } },
          spec: {
            restartPolicy: "Never",
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 65532,
              fsGroup: tls?.pod.fsGroup,
              seccompProfile: { type: "RuntimeDefault" },
            },
            volumes: tls?.pod.volumes,
            containers: [
              {
                name,
                image: `${config.repository}/cli:${config.tags[0]}`,
                args: ["doctor", "--rate", "5000", "--brokers", config.kafkaBrokers.join(",")],
                env: [
                  { name: "HEDDLE_ADDRESS", value: addressOf(session) },
                  { name: "KAFKA_TOPIC_PREFIX", value: session.topicPrefix },
                  ...(tls?.pod.env ?? []),
                ],
                volumeMounts: tls?.pod.volumeMounts,
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ["ALL"] },
                },
              },
            ],
          },
        },
      },
    });
    const state = await eventually(
      "an end of doctor",
      async () => {
        const { status } = await kube.json<{ status: { succeeded?: number; failed?: number } }>(["get", "job", name]);
        return status.succeeded === 1 ? "clean" : status.failed === 1 ? "not clean" : undefined;
      },
      300_000,
    );
    const said = await kube.kubectl(["logs", `job/${name}`]);
    expectThat(state === "clean", said);
    return said.trim().split("\n").at(-1) ?? "";
  },
};

export const alertMetrics: Check = {
  name: "pods export what alerts and dashboards ask for",
  async run({ kube, tls }) {
    const pages: string[] = [];
    for (const [service, port] of Object.entries(servicePorts)) {
      const pod = (await kube.listPods(service)).find(isReady);
      if (pod !== undefined) pages.push(await kube.getFromPod(pod.metadata.name, port, "/metrics"));
    }
    const exported = pages.join("\n");
    const { alerts } = parse(readFileSync("helm/heddle/files/alerts.yaml", "utf8")) as { alerts: { expr: string }[] };
    const asked = new Set(alerts.flatMap(({ expr }) => metricsOf(expr)).map((name) => name.replace(/_bucket$/, "")));
    // There without TLS too, but nobody has a certificate then.
    if (tls === undefined) for (const name of asked) if (name.startsWith("heddle_tls_")) asked.delete(name);
    const missing = [...asked].filter((name) => !exported.includes(`# TYPE ${name} `));
    expectThat(missing.length === 0, `nobody exports ${missing.join(", ")}`);
    return `${asked.size} metrics`;
  },
};

export const memory: Check = {
  name: "memory of each pod",
  async run(session) {
    const nodes = await session.kube.json<{ items: { metadata: { name: string } }[] }>(["get", "nodes"]);
    const rows: string[] = [];
    for (const { metadata } of nodes.items) {
      const text = await session.kube.kubectl(["get", "--raw", `/api/v1/nodes/${metadata.name}/proxy/stats/summary`]);
      const { pods } = JSON.parse(text) as {
        pods: { podRef: { name: string; namespace: string }; memory?: { workingSetBytes?: number } }[];
      };
      for (const { podRef, memory: used } of pods) {
        if (podRef.namespace !== session.kube.namespace) continue;
        rows.push(`${podRef.name} ${Math.round((used?.workingSetBytes ?? 0) / 2 ** 20)} MiB`);
      }
    }
    expectThat(rows.length > 0, "no node tells of pods");
    return rows.toSorted().join(", ");
  },
};

export const startToReady: Check = {
  name: "time from the start of a process to its readiness",
  async run({ kube }) {
    const rows: string[] = [];
    for (const service of Object.keys(servicePorts)) {
      const times: number[] = [];
      for (const { metadata } of await kube.listPods(service)) {
        const log = await kube.kubectl(["logs", metadata.name]);
        times.push(Number(/"readyAfterMs":(\d+)/.exec(log)?.[1] ?? Number.NaN));
      }
      rows.push(`${service} ${times.join(" and ")} ms`);
    }
    return rows.join(", ");
  },
};

export const noRestarts: Check = {
  name: "no container has died by itself",
  async run({ kube }) {
    const pods = (await Promise.all(Object.keys(servicePorts).map((service) => kube.listPods(service)))).flat();
    const restarted = pods.filter(({ status }) =>
      status.containerStatuses?.some(({ restartCount }) => restartCount > 0),
    );
    expectThat(restarted.length === 0, restarted.map(({ metadata }) => metadata.name).join(", "));
    return `${pods.length} pods`;
  },
};

export const uninstall: Check = {
  name: "uninstall leaves nothing of the chart",
  async run(session: Session) {
    const { kube, config } = session;
    await kube.helm(["uninstall", config.release, "--wait", "--timeout=3m"]);
    const kinds =
      "all,configmaps,secrets,serviceaccounts,networkpolicies,poddisruptionbudgets,horizontalpodautoscalers,ingresses";
    const left = await eventually("an end of all pods", async () => {
      const names = await kube.kubectl([
        "get",
        kinds,
        "--selector",
        `app.kubernetes.io/instance=${config.release}`,
        "-o",
        "name",
      ]);
      return names.includes("pod/") ? undefined : names;
    });
    expectThat(left.trim() === "", left);
    const secret = await kube.kubectl(["get", "secret", "heddle-database", "-o", "name"]);
    return `the Secret of the operator stays: ${secret.trim()}`;
  },
};
