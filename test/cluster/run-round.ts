import type { ClusterConfig } from "./config.ts";
import { createRandom } from "../e2e/random.ts";
import { alertMetrics, doctor, memory, noRestarts, nothingLost, startToReady, uninstall } from "./checks/after.ts";
import { changesUnderLoad } from "./checks/changes.ts";
import { connectAtEdge, grpcAtEdge, strangerAtEdge } from "./checks/edge.ts";
import { helmTest, install, refusesBadValue, servingRole } from "./checks/install.ts";
import { createDatabases, dropDatabases } from "./databases.ts";
import { createKube } from "./kube.ts";
import { type LoadPod, startLoad } from "./load-pod.ts";
import type { Check, Session } from "./session.ts";
import { createRoundTls } from "./tls.ts";

export interface RoundOptions {
  config: ClusterConfig;
  programs: { helm: string; kubectl: string; grpcurl: string | undefined };
  seed: number;
  /** Services and callers call by TLS, with certificates on both sides. */
  withTls: boolean;
  log(line: string): void;
}

/** All checks once, in a namespace, a database and topics of their own. Topics stay on the brokers, the others are removed. */
export async function runRound({
  config,
  programs,
  seed,
  withTls,
  log,
}: RoundOptions): Promise<{ passed: number; failed: number }> {
  const kube = createKube(programs.helm, programs.kubectl, config);
  const { database, urls } = await createDatabases(config);
  const tls = withTls ? createRoundTls(config.release) : undefined;
  const { kubectl: kubectlPath, grpcurl } = programs;
  const topicPrefix = `${config.namespace}-${Date.now()}.`;
  const session: Session = { config, kube, kubectlPath, grpcurl, database, topicPrefix, tls, log };
  let load: LoadPod | undefined;
  const running = (): LoadPod => {
    if (load === undefined) throw new Error("there is no load");
    return load;
  };
  const startsLoad: Check = {
    name: "load: chains of three steps, 64 in flight, from a pod",
    async run() {
      load = await startLoad(session);
      return "it runs";
    },
  };
  const checks: Check[] = [
    refusesBadValue,
    install,
    servingRole,
    startToReady,
    helmTest,
    grpcAtEdge,
    connectAtEdge,
    ...(withTls ? [strangerAtEdge] : []),
    startsLoad,
    ...changesUnderLoad(running, createRandom(seed), withTls),
    nothingLost(running),
    doctor,
    alertMetrics,
    memory,
    startToReady,
    noRestarts,
    uninstall,
  ];
  try {
    await prepareNamespace(session, urls);
    return await runChecks(checks, session);
  } finally {
    await kube.kubectl(["delete", "namespace", config.namespace, "--wait=true", "--timeout=180s"]);
    await dropDatabases(config, database);
    tls?.close();
  }
}

async function prepareNamespace({ kube, tls }: Session, urls: Record<string, string>): Promise<void> {
  await kube.apply({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: kube.namespace,
      labels: {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "latest",
      },
    },
  });
  await kube.apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "heddle-database", namespace: kube.namespace },
    stringData: urls,
  });
  await tls?.renew(kube);
}

async function runChecks(checks: readonly Check[], session: Session): Promise<{ passed: number; failed: number }> {
  let passed = 0;
  let failed = 0;
  for (const { name, run } of checks) {
    try {
      session.log(`✓ ${name}: ${await run(session)}`);
      passed += 1;
    } catch (error) {
      session.log(`✗ ${name}: ${(error as Error).message}`);
      failed += 1;
      // Without a suite there is nothing to look at.
      if (name === "install --wait under PodSecurity restricted") {
        session.log(await describeTrouble(session));
        break;
      }
    }
  }
  return { passed, failed };
}

async function describeTrouble({ kube }: Session): Promise<string> {
  const pods = await kube.kubectl(["get", "pods", "--output", "wide"]);
  const logs = await kube.kubectl(["logs", "--selector", "app.kubernetes.io/part-of=heddle", "--prefix", "--tail=5"]);
  return `${pods}\n${logs}`;
}
