import type { Random } from "../../e2e/random.ts";
import { type LoadPod, underLoad } from "../load-pod.ts";
import { COMPONENT, isReady } from "../kube.ts";
import { readGauge, sum } from "../metrics.ts";
import { type Check, eventually, expectThat, type Session } from "../session.ts";
import { installArguments } from "./install.ts";

const PARTITIONS = 64;
const SERVICES = ["gateway", "definition", "execution", "scheduler", "statemachine", "worker"];

/** What is done to a suite under load, which must lose nothing by it. */
export function changesUnderLoad(load: () => LoadPod, random: Random, withTls: boolean): Check[] {
  const change = (name: string, work: (session: Session) => Promise<string>): Check => ({
    name: `${name}, under load`,
    async run(session) {
      let detail = "";
      const figures = await underLoad(load(), async () => {
        detail = await work(session);
      });
      return detail === "" ? figures : `${detail}; ${figures}`;
    },
  });
  return [
    change("nothing happens", async () => {
      await new Promise((resolve) => setTimeout(resolve, 20_000));
      return "";
    }),
    change("execution 1 → 3 → 1", async (session) => {
      const owned: string[] = [];
      for (const replicas of [1, 3, 1]) owned.push(await scaleExecution(session, replicas));
      // As the chart has it: Helm would refuse to overwrite another number that somebody else has set.
      await scaleExecution(session, 2);
      return `partitions ${owned.join(" → ")}`;
    }),
    change("a rolling upgrade of every service", async (session) => {
      const { kube, config } = session;
      await kube.helm(["upgrade", config.release, ...installArguments(session, config.tags[1])]);
      return await imagesOf(session, config.tags[1]);
    }),
    change("a rollback", async (session) => {
      const { kube, config } = session;
      await kube.helm(["rollback", config.release, "--wait", "--timeout=6m"]);
      return await imagesOf(session, config.tags[0]);
    }),
    change("three random pods killed", async (session) => {
      const killed: string[] = [];
      for (let kill = 0; kill < 3; kill++) {
        const service = SERVICES[random.below(SERVICES.length)] ?? "execution";
        killed.push(await killPod(session, service, random));
      }
      return killed.join(", ");
    }),
    change("a pod of execution killed", (session) => killPod(session, "execution", random)),
    change("a node is drained", evictExecution),
    ...(withTls ? [change("certificates are renewed, and a pod of execution killed", renewCertificates)] : []),
  ];
}

/** The kubelet takes up to a minute and a half to bring a changed Secret into pods. */
const SECRET_TIMEOUT_MS = 240_000;

async function renewCertificates(session: Session): Promise<string> {
  const { kube, tls } = session;
  await tls?.renew(kube);
  const pods = (await Promise.all(SERVICES.map((service) => kube.listPods(service)))).flat().filter(isReady);
  const logOf = (name: string): Promise<string> => kube.kubectl(["logs", name, "--tail=-1"]);
  for (const { metadata } of pods) {
    await eventually(
      `the new certificate in ${metadata.name}`,
      async () => ((await logOf(metadata.name)).includes("certificates have changed") ? true : undefined),
      SECRET_TIMEOUT_MS,
    );
  }
  const [victim] = (await kube.listPods("execution")).filter(isReady);
  // Whoever comes now and those who are there meet with certificates of both kinds.
  await kube.kubectl(["delete", "pod", victim?.metadata.name ?? "", "--wait=false"]);
  await eventually("two pods of execution", async () => {
    const now = (await kube.listPods("execution")).filter(isReady).map(({ metadata }) => metadata.name);
    return now.length === 2 && !now.includes(victim?.metadata.name ?? "") ? true : undefined;
  });
  return `taken by ${pods.length} pods`;
}

async function scaleExecution(session: Session, replicas: number): Promise<string> {
  const { kube, config } = session;
  await kube.kubectl(["scale", `deployment/${config.release}-execution`, `--replicas=${replicas}`]);
  return await eventually(`partitions of ${replicas} pods`, async () => {
    const owned = [...(await readGauge(session, "execution", "heddle_execution_partitions_owned")).values()];
    const all = owned.length === replicas && sum(owned) === PARTITIONS && owned.every((count) => count > 0);
    return all ? owned.join("+") : undefined;
  });
}

async function imagesOf({ kube, config }: Session, tag: string): Promise<string> {
  const selector = `app.kubernetes.io/instance=${config.release}`;
  // The old ones take their time to end.
  return await eventually(`pods of ${tag} alone`, async () => {
    const images = (
      await kube.kubectl(["get", "pods", "--selector", selector, "-o", "jsonpath={.items[*].spec.containers[0].image}"])
    ).split(" ");
    return images.every((image) => image.endsWith(`:${tag}`)) ? `${images.length} pods of ${tag}` : undefined;
  });
}

async function killPod({ kube }: Session, service: string, random: Random): Promise<string> {
  const ready = (await kube.listPods(service)).filter(isReady);
  const victim = ready[random.below(Math.max(1, ready.length))];
  if (victim === undefined) throw new Error(`${service} has no ready pod`);
  await kube.kubectl(["delete", "pod", victim.metadata.name, "--grace-period=0", "--force", "--wait=false"]);
  await eventually(`another pod of ${service}`, async () => {
    const now = (await kube.listPods(service)).filter(isReady);
    return now.length >= ready.length && now.every(({ metadata }) => metadata.name !== victim.metadata.name)
      ? true
      : undefined;
  });
  return victim.metadata.name;
}

/** What `kubectl drain` does, without a node to spare: evictions of all pods of a service, as the budget lets them. */
async function evictExecution(session: Session): Promise<string> {
  const { kube, config } = session;
  await kube.kubectl(["scale", `deployment/${config.release}-execution`, "--replicas=2"]);
  const old = await eventually("two pods of execution", async () => {
    const pods = (await kube.listPods("execution")).filter(isReady);
    return pods.length === 2 ? pods.map(({ metadata }) => metadata.name) : undefined;
  });
  const evict = (name: string): Promise<string> =>
    kube.kubectl(
      ["create", "--raw", `/api/v1/namespaces/${kube.namespace}/pods/${name}/eviction`, "--filename", "-"],
      JSON.stringify({
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { name, namespace: kube.namespace },
      }),
    );
  const [first = "", second = ""] = old;
  await eventually("the first eviction", async () => evict(first));
  const refused = await evict(second).then(
    () => "it was evicted",
    (error: Error) => error.message,
  );
  expectThat(
    /disruption budget|TooManyRequests|Cannot evict/i.test(refused),
    `the second eviction at once: ${refused}`,
  );
  await eventually("the second eviction", async () => evict(second));
  await eventually("two other pods", async () => {
    const now = (await kube.listPods("execution")).filter(isReady).map(({ metadata }) => metadata.name);
    return now.length === 2 && !now.some((name) => old.includes(name)) ? true : undefined;
  });
  return `evicted ${first}, refused ${second} meanwhile, evicted it later (${COMPONENT} execution)`;
}
