import type { Figures } from "./load/tally.ts";
import { addressOf, eventually, type Session } from "./session.ts";

const NAME = "load";
const PORT = 8080;

/** Load inside the cluster, from the image `load`. */
export interface LoadPod {
  /** Since the last call. */
  figures(): Promise<Figures>;
  /** Lets what is under way end, and tells everything. */
  stop(): Promise<Figures & { duplicates: number }>;
}

export async function startLoad(session: Session): Promise<LoadPod> {
  const { config, kube, tls } = session;
  await kube.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: NAME, namespace: kube.namespace, labels: { app: NAME } },
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
          name: NAME,
          image: `${config.repository}/load:${config.tags[0]}`,
          imagePullPolicy: "IfNotPresent",
          env: [
            { name: "HEDDLE_ADDRESS", value: addressOf(session, `${config.release}-gateway`) },
            ...(tls?.pod.env ?? []),
            { name: "LOAD_IN_FLIGHT", value: "64" },
            { name: "LOAD_PORT", value: String(PORT) },
          ],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
          volumeMounts: tls?.pod.volumeMounts,
          resources: { requests: { cpu: "20m", memory: "96Mi" }, limits: { memory: "512Mi" } },
        },
      ],
    },
  });
  const get = async (path: string): Promise<unknown> => JSON.parse(await kube.getFromPod(NAME, PORT, path));
  await eventually("load", async () => {
    const { completed } = (await get("/figures")) as Figures;
    return completed > 0 ? true : undefined;
  });
  return {
    figures: () => get("/figures") as Promise<Figures>,
    stop: () => get("/stop") as Promise<Figures & { duplicates: number }>,
  };
}

/** The figures of what `work` did to a suite under load. @throws when a start failed, or an execution did not end as it should */
export async function underLoad(load: LoadPod, work: () => Promise<void>): Promise<string> {
  await load.figures();
  await work();
  // What comes right after belongs to it: a call may have been cut off at the very end.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const figures = await load.figures();
  const { seconds, started, completed, failures, startP99Ms, p50Ms, p99Ms, stallMs } = figures;
  if (failures.length > 0) throw new Error(`${failures.length} failures: ${failures.slice(0, 3).join(" | ")}`);
  if (completed === 0) throw new Error(`no execution ended in ${seconds} s`);
  return `${seconds} s: ${started} starts, 0 failed, ${completed} completed; start p99 ${startP99Ms} ms; start to end p50 ${p50Ms} ms, p99 ${p99Ms} ms; longest without an end ${stallMs} ms`;
}
