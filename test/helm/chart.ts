import { readdirSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { runProgram } from "../interop/program.ts";

export const CHART = "helm/heddle";
const TESTDATA = "test/helm/testdata";

/** What the tests look at of an object. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  // Each kind has its own: tests read what they look for.
  // oxlint-disable-next-line typescript/no-explicit-any
  spec: any;
  data?: Record<string, string>;
}

/** Names of the sets of values under test. */
export const VALUE_SETS = readdirSync(TESTDATA)
  .filter((file) => file.endsWith(".values.yaml"))
  .map((file) => file.slice(0, -".values.yaml".length));

export function valuesFile(set: string): string {
  return `${TESTDATA}/${set}.values.yaml`;
}

export function goldenFile(set: string): string {
  return `${TESTDATA}/${set}.golden.yaml`;
}

export interface Rendering {
  text: string;
  objects: KubernetesObject[];
}

/** The chart with a set of values, as the release `heddle`. @throws Error with what helm says */
export async function renderChart(helm: string, set: string, more: readonly string[] = []): Promise<Rendering> {
  const { code, stdout, stderr } = await runHelm(helm, set, more);
  if (code !== 0) throw new Error(`helm template: ${stderr}`);
  const text = stdout.toString();
  const objects = parseAllDocuments(text).flatMap((document) => {
    // A key that is there twice is one of them.
    if (document.errors[0] !== undefined) throw document.errors[0];
    const object = document.toJS() as KubernetesObject | null;
    return object === null ? [] : [object];
  });
  return { text, objects };
}

export function runHelm(helm: string, set: string, more: readonly string[] = []): ReturnType<typeof runProgram> {
  return runProgram(helm, ["template", "heddle", CHART, "--namespace", "flows", "--values", valuesFile(set), ...more]);
}
