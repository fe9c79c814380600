import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const run = promisify(execFile);
const IMAGE_MAX_BYTES = 180e6;

let folder: string;
let layout: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-images-"));
  layout = join(folder, "layout");
  await write("one.tar");
  await run("mkdir", [layout]);
  await run("tar", ["-xf", join(folder, "one.tar"), "-C", layout]);
});
afterAll(() => rm(folder, { recursive: true }));

const write = (name: string) =>
  run(process.execPath, ["deploy/image/main.ts", join(folder, name), "--tag", "1.2.3", "execution", "cli"]);

async function digest(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

const read = async <T>(...path: string[]): Promise<T> => JSON.parse(await readFile(join(layout, ...path), "utf8")) as T;

interface Manifest {
  config: { digest: string };
  layers: { digest: string; size: number }[];
}

async function manifests(): Promise<Manifest[]> {
  const { manifests: listed } = await read<{ manifests: { digest: string }[] }>("index.json");
  return await Promise.all(listed.map((one) => read<Manifest>("blobs/sha256", one.digest.replace("sha256:", ""))));
}

it("gives the same bytes when it is written again", async () => {
  await write("two.tar");
  expect(await digest(join(folder, "two.tar"))).toBe(await digest(join(folder, "one.tar")));
});

it("names each blob by what is in it", async () => {
  for (const { config, layers } of await manifests()) {
    for (const one of [config, ...layers]) {
      const hex = one.digest.replace("sha256:", "");
      expect(await digest(join(layout, "blobs/sha256", hex))).toBe(hex);
    }
  }
});

it("has small images that share what runs them", async () => {
  const [one, two] = await manifests();
  expect(one?.layers[0]?.digest).toBe(two?.layers[0]?.digest);
  for (const { layers } of [one, two] as Manifest[]) {
    expect(layers.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(IMAGE_MAX_BYTES);
  }
});

it("is not root, knows its port, and says what it is made of", async () => {
  const docker = await read<{ Config: string; RepoTags: string[] }[]>("manifest.json");
  const execution = docker.find(({ RepoTags }) => RepoTags.includes("heddle/execution:1.2.3"));
  const { config } = await read<{ config: Record<string, unknown> }>(execution?.Config ?? "");
  expect(config).toMatchObject({
    User: "65532:65532",
    Entrypoint: ["/usr/local/bin/node", "main.js"],
    ExposedPorts: { "7235/tcp": {} },
    Labels: { "dev.heddle.sbom": "/app/sbom.cdx.json", "org.opencontainers.image.version": "1.2.3" },
  });
  expect(config["Env"]).toEqual(expect.arrayContaining(["HEDDLE_HOST=0.0.0.0", "HEDDLE_PORT=7235"]));
});

it("runs from its own files alone", async (context) => {
  if (process.getuid?.() !== 0) context.skip("needs root for chroot");
  const root = join(folder, "root");
  await run("mkdir", [root]);
  const cli = (await read<{ RepoTags: string[]; Layers: string[] }[]>("manifest.json")).find(({ RepoTags }) =>
    RepoTags.includes("heddle/cli:1.2.3"),
  );
  for (const layer of cli?.Layers ?? []) await run("tar", ["-xf", join(layout, layer), "-C", root]);
  const { stdout } = await run("chroot", [
    "--userspec=65532:65532",
    root,
    "/usr/local/bin/node",
    "/app/main.js",
    "version",
  ]);
  expect(stdout).toMatch(/^heddle \d/);
});
