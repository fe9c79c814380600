import { toBinary, type DescExtension, type DescFile, type DescService } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** Everything that reflection can be asked about, by name. */
export interface ReflectionIndex {
  /** Full names of the services, sorted. */
  services: string[];
  findFile(name: string): DescFile | undefined;
  /** The file that declares a service, method, message, field, oneof, enum, enum value or extension. */
  findFileOfSymbol(symbol: string): DescFile | undefined;
  findExtension(extendee: string, number: number): DescExtension | undefined;
  /** Field numbers of the extensions of a message, sorted; undefined when there is no such message. */
  findExtensionNumbers(extendee: string): number[] | undefined;
  /** The file and all that it imports, imports first, each as bytes of FileDescriptorProto. */
  closureOf(file: DescFile): Uint8Array[];
}

/** Indexes the files of `services` and `extraFiles`, and all that they import. */
export function createReflectionIndex(
  services: readonly DescService[],
  extraFiles: readonly DescFile[],
): ReflectionIndex {
  const files = new Map<string, DescFile>();
  const symbols = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescExtension>>();
  const messages = new Set<string>();
  const encoded = new Map<string, Uint8Array>();

  function addFile(file: DescFile): void {
    const name = fileName(file);
    if (files.has(name)) return;
    files.set(name, file);
    for (const dependency of file.dependencies) addFile(dependency);
    for (const type of nestedTypes(file)) {
      symbols.set(type.typeName, file);
      if (type.kind === "message") {
        messages.add(type.typeName);
        for (const member of [...type.fields, ...type.oneofs]) symbols.set(`${type.typeName}.${member.name}`, file);
      } else if (type.kind === "service") {
        for (const method of type.methods) symbols.set(`${type.typeName}.${method.name}`, file);
      } else if (type.kind === "enum") {
        // Values are siblings of their enum in the scoping rules of protobuf.
        const scope = type.typeName.slice(0, Math.max(0, type.typeName.lastIndexOf(".")));
        for (const value of type.values) symbols.set(scope === "" ? value.name : `${scope}.${value.name}`, file);
      } else {
        const ofExtendee = extensions.get(type.extendee.typeName) ?? new Map<number, DescExtension>();
        extensions.set(type.extendee.typeName, ofExtendee.set(type.number, type));
      }
    }
  }
  for (const service of services) addFile(service.file);
  for (const file of extraFiles) addFile(file);

  function collect(file: DescFile, seen: Map<string, Uint8Array>): void {
    const name = fileName(file);
    if (seen.has(name)) return;
    for (const dependency of file.dependencies) collect(dependency, seen);
    const bytes = encoded.get(name) ?? toBinary(FileDescriptorProtoSchema, file.proto);
    encoded.set(name, bytes);
    seen.set(name, bytes);
  }

  return {
    services: services.map(({ typeName }) => typeName).toSorted(),
    findFile: (name) => files.get(name),
    findFileOfSymbol: (symbol) => symbols.get(symbol),
    findExtension: (extendee, number) => extensions.get(extendee)?.get(number),
    findExtensionNumbers(extendee) {
      if (!messages.has(extendee)) return undefined;
      return [...(extensions.get(extendee)?.keys() ?? [])].toSorted((a, b) => a - b);
    },
    closureOf(file) {
      const seen = new Map<string, Uint8Array>();
      collect(file, seen);
      return [...seen.values()];
    },
  };
}

/** protobuf-es strips the suffix that imports have. */
function fileName(file: DescFile): string {
  return `${file.name}.proto`;
}
