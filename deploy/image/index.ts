export { type ImageSpec, writeArchive } from "./archive.ts";
export { listAppFiles, listRuntimeFiles } from "./root-files.ts";
export { type TarEntry, tarOf } from "./tar.ts";
