import { runProgram } from "../interop/program.ts";
import type { ClusterConfig } from "./config.ts";

/** helm and kubectl against one namespace. */
export interface Kube {
  readonly namespace: string;
  /** @throws Error with what kubectl says */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  json<T>(args: readonly string[]): Promise<T>;
  helm(args: readonly string[], timeoutMs?: number): Promise<string>;
  /** The answer may be a refusal. */
  tryHelm(args: readonly string[]): Promise<{ code: number; stderr: string }>;
  apply(object: object): Promise<void>;
  /** A page of a pod, by way of the API server. */
  getFromPod(pod: string, port: number, path: string): Promise<string>;
  listPods(component: string): Promise<Pod[]>;
}

export interface Pod {
  metadata: { name: string; deletionTimestamp?: string; labels: Record<string, string> };
  status: {
    phase: string;
    containerStatuses?: { restartCount: number; ready: boolean }[];
    conditions?: { type: string; status: string }[];
  };
}

export const COMPONENT = "app.kubernetes.io/component";
const TIMEOUT_MS = 420_000;

export function createKube(helm: string, kubectl: string, config: ClusterConfig): Kube {
  const env = { ...process.env, KUBECONFIG: config.kubeconfig };
  const run = async (file: string, args: readonly string[], input = "", timeoutMs = TIMEOUT_MS): Promise<string> => {
    const { code, stdout, stderr } = await runProgram(file, args, { env, timeoutMs, input });
    if (code === 0) return stdout.toString();
    throw new Error(`${file.split("/").at(-1)} ${args.slice(0, 4).join(" ")}: ${stderr.trim() || stdout.toString()}`);
  };
  const namespaced = ["--namespace", config.namespace];
  const kube: Kube = {
    namespace: config.namespace,
    kubectl: (args, input) => run(kubectl, [...namespaced, ...args], input),
    json: async (args) => JSON.parse(await kube.kubectl([...args, "--output", "json"])) as never,
    helm: (args, timeoutMs) => run(helm, [...args, ...namespaced], "", timeoutMs),
    tryHelm: (args) => runProgram(helm, [...args, ...namespaced], { env, timeoutMs: TIMEOUT_MS }),
    async apply(object) {
      await kube.kubectl(["apply", "--filename", "-"], JSON.stringify(object));
    },
    getFromPod: (pod, port, path) =>
      kube.kubectl(["get", "--raw", `/api/v1/namespaces/${config.namespace}/pods/${pod}:${port}/proxy${path}`]),
    async listPods(component) {
      const selector = `app.kubernetes.io/instance=${config.release},${COMPONENT}=${component}`;
      return (await kube.json<{ items: Pod[] }>(["get", "pods", "--selector", selector])).items;
    },
  };
  return kube;
}

export function isReady({ metadata, status }: Pod): boolean {
  const ready = status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");
  return ready === true && metadata.deletionTimestamp === undefined;
}
