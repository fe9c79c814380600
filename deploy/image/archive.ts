import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { tarOf, type TarEntry } from "./tar.ts";

export interface ImageSpec {
  /** `repository/name:tag` */
  reference: string;
  /** From the bottom up. Images that share a layer (the same array) share its bytes. */
  layers: readonly (readonly TarEntry[])[];
  entrypoint: readonly string[];
  /** `uid:gid` */
  user: string;
  env: Readonly<Record<string, string>>;
  ports: readonly number[];
  labels: Readonly<Record<string, string>>;
}

interface Blob {
  digest: string;
  content: Buffer;
}

const MEDIA = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
};
/** By Node's names of processors. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/**
 * Writes images into one file that is both an OCI layout and what `docker save` writes: `docker load`, `ctr images import`,
 * `podman load` and `skopeo copy oci-archive:…` read it. The same files give the same bytes: there is no time in it.
 */
export function writeArchive(path: string, images: readonly ImageSpec[]): { reference: string; bytes: number }[] {
  const blobs = new Map<string, Blob>();
  const layerOf = new Map<readonly TarEntry[], Blob>();
  const add = (content: Buffer): Blob => {
    const blob = { digest: createHash("sha256").update(content).digest("hex"), content };
    blobs.set(blob.digest, blob);
    return blob;
  };
  const written = images.map((image) => {
    const layers = image.layers.map((entries) => {
      const layer = layerOf.get(entries) ?? add(tarOf(entries));
      layerOf.set(entries, layer);
      return layer;
    });
    const config = add(json(configOf(image, layers)));
    const manifest = add(
      json({
        schemaVersion: 2,
        mediaType: MEDIA.manifest,
        config: descriptor(MEDIA.config, config),
        layers: layers.map((layer) => descriptor(MEDIA.layer, layer)),
      }),
    );
    return { image, layers, config, manifest };
  });
  const index = {
    schemaVersion: 2,
    manifests: written.map(({ image, manifest }) => ({
      ...descriptor(MEDIA.manifest, manifest),
      annotations: {
        "io.containerd.image.name": qualified(image.reference),
        "org.opencontainers.image.ref.name": image.reference.replace(/^.*:/, ""),
      },
    })),
  };
  const docker = written.map(({ image, layers, config }) => ({
    Config: blobPath(config),
    RepoTags: [image.reference],
    Layers: layers.map(blobPath),
  }));
  writeFileSync(
    path,
    tarOf([
      entry("oci-layout", json({ imageLayoutVersion: "1.0.0" })),
      entry("index.json", json(index)),
      entry("manifest.json", json(docker)),
      ...[...blobs.values()].map((blob) => entry(blobPath(blob), blob.content)),
    ]),
  );
  return written.map(({ image, layers }) => ({
    reference: image.reference,
    bytes: layers.reduce((sum, { content }) => sum + content.length, 0),
  }));
}

function configOf(image: ImageSpec, layers: readonly Blob[]): object {
  return {
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: "linux",
    config: {
      User: image.user,
      WorkingDir: "/app",
      Entrypoint: image.entrypoint,
      Env: Object.entries(image.env).map(([name, value]) => `${name}=${value}`),
      ...(image.ports.length > 0 && {
        ExposedPorts: Object.fromEntries(image.ports.map((port) => [`${port}/tcp`, {}])),
      }),
      Labels: image.labels,
      StopSignal: "SIGTERM",
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => `sha256:${digest}`) },
  };
}

/** The name as containerd stores it: a registry first, as Kubernetes will ask for it. */
function qualified(reference: string): string {
  const [first = "", ...rest] = reference.split("/");
  if (rest.length > 0 && (/[.:]/.test(first) || first === "localhost")) return reference;
  return rest.length > 0 ? `docker.io/${reference}` : `docker.io/library/${reference}`;
}

function descriptor(mediaType: string, { digest, content }: Blob): object {
  return { mediaType, digest: `sha256:${digest}`, size: content.length };
}

function blobPath({ digest }: Blob): string {
  return `blobs/sha256/${digest}`;
}

function entry(path: string, content: Buffer): TarEntry {
  return { kind: "file", path, mode: 0o644, content };
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
