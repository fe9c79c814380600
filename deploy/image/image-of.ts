import { readFileSync } from "node:fs";
import type { ImageSpec } from "./archive.ts";
import { USER_ID } from "./root-files.ts";

/** What a stage of deploy/Dockerfile sets: the one place where it is written. */
interface StageSettings {
  env: Record<string, string>;
  ports: number[];
}

/** Reads ENV and EXPOSE of a target, with those of the stage `service` below it. A program without a target has just the latter. */
function readStage(dockerfile: string, target: string): StageSettings {
  const settings: StageSettings = { env: {}, ports: [] };
  let stage = "";
  for (const line of dockerfile.split("\n")) {
    stage = /^FROM \S+ AS (\S+)$/.exec(line)?.[1] ?? stage;
    if (stage !== "service" && stage !== target) continue;
    for (const [, name = "", value = ""] of /^ENV (.*)$/.exec(line)?.[1]?.matchAll(/(\w+)=(\S+)/g) ?? []) {
      settings.env[name] = value;
    }
    const port = /^EXPOSE (\d+)$/.exec(line)?.[1];
    if (port !== undefined) settings.ports.push(Number(port));
  }
  return settings;
}

export function imageOf(
  name: string,
  { reference, version, layers }: Pick<ImageSpec, "reference" | "layers"> & { version: string },
): ImageSpec {
  return {
    reference,
    layers,
    ...readStage(readFileSync("deploy/Dockerfile", "utf8"), name),
    entrypoint: ["/usr/local/bin/node", "main.js"],
    user: `${USER_ID}:${USER_ID}`,
    labels: {
      "org.opencontainers.image.title": `heddle ${name}`,
      "org.opencontainers.image.version": version,
      "org.opencontainers.image.licenses": "Apache-2.0",
      "dev.heddle.sbom": "/app/sbom.cdx.json",
    },
  };
}
