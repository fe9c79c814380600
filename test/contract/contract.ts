import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fromBinary, getExtension, hasExtension } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
  type MethodDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { field as fieldRules, type FieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** Where something is declared, and the comment above it. */
export interface Declared {
  readonly file: string;
  readonly line: number;
  /** Full name: `heddle.execution.v1.Execution.status`. */
  readonly name: string;
  readonly comment: string;
}

export interface Field extends Declared {
  readonly proto: FieldDescriptorProto;
  /** What protovalidate demands of it. */
  readonly rules: FieldRules | undefined;
}

export interface Message extends Declared {
  readonly fields: readonly Field[];
  readonly oneofs: readonly Declared[];
}

export interface EnumValue extends Declared {
  readonly number: number;
}

export interface Enum extends Declared {
  readonly values: readonly EnumValue[];
}

export interface Method extends Declared {
  readonly proto: MethodDescriptorProto;
  /** Full names of the messages. */
  readonly input: string;
  readonly output: string;
}

export interface Service extends Declared {
  readonly package: string;
  readonly methods: readonly Method[];
}

/** All that `proto/heddle` declares, flat. */
export interface Contract {
  readonly services: readonly Service[];
  readonly messages: readonly Message[];
  readonly enums: readonly Enum[];
  /** Throws when there is no such message. */
  getMessage(name: string): Message;
}

/** Builds the protos under `root`, as `buf.yaml` there says, and reads what they declare. */
export function readContract(root: string): Contract {
  const image = execFileSync("buf", ["build", "--as-file-descriptor-set", "-o", "-"], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  });
  const files = fromBinary(FileDescriptorSetSchema, image).file.filter(({ name }) => name.startsWith("heddle/"));
  const contract = { services: [] as Service[], messages: [] as Message[], enums: [] as Enum[] };
  for (const file of files) readFile(file, contract);
  const byName = new Map(contract.messages.map((message) => [message.name, message]));
  return {
    ...contract,
    getMessage(name) {
      const message = byName.get(name);
      if (message === undefined) throw new Error(`the contract has no message ${name}`);
      return message;
    },
  };
}

/** Numbers of the fields of descriptors, which make up the paths of source locations (descriptor.proto). */
const PATH = {
  file: { message: 4, enum: 5, service: 6 },
  message: { field: 2, nested: 3, enum: 4, oneof: 8 },
  enum: { value: 2 },
  service: { method: 2 },
} as const;

type Locate = (path: readonly number[], name: string) => Declared;

function readFile(file: FileDescriptorProto, into: { services: Service[]; messages: Message[]; enums: Enum[] }): void {
  const locate = createLocate(file);
  file.enumType.forEach((each, index) => {
    into.enums.push(readEnum(each, file.package, [PATH.file.enum, index], locate));
  });
  const readMessages = (messages: readonly DescriptorProto[], scope: string, prefix: readonly number[]): void => {
    messages.forEach((message, index) => {
      // The compiler writes a message for each map field: nobody declared it.
      if (message.options?.mapEntry === true) return;
      const path = [...prefix, index];
      const name = `${scope}.${message.name}`;
      into.messages.push(readMessage(message, name, path, locate));
      message.enumType.forEach((each, at) => {
        into.enums.push(readEnum(each, name, [...path, PATH.message.enum, at], locate));
      });
      readMessages(message.nestedType, name, [...path, PATH.message.nested]);
    });
  };
  readMessages(file.messageType, file.package, [PATH.file.message]);
  file.service.forEach((service, index) => {
    const path = [PATH.file.service, index];
    const name = `${file.package}.${service.name}`;
    const methods = service.method.map((proto, at) => ({
      ...locate([...path, PATH.service.method, at], `${name}.${proto.name}`),
      proto,
      input: proto.inputType.slice(1),
      output: proto.outputType.slice(1),
    }));
    into.services.push({ ...locate(path, name), package: file.package, methods });
  });
}

function readMessage(message: DescriptorProto, name: string, path: readonly number[], locate: Locate): Message {
  const fields = message.field.map((proto, index) => ({
    ...locate([...path, PATH.message.field, index], `${name}.${proto.name}`),
    proto,
    rules: rulesOf(proto),
  }));
  // To the compiler an optional field is a oneof of its own: nobody declared that one.
  const optional = message.field.filter(({ proto3Optional }) => proto3Optional).map(({ oneofIndex }) => oneofIndex);
  const oneofs = message.oneofDecl
    .map((oneof, index) => ({ index, ...locate([...path, PATH.message.oneof, index], `${name}.${oneof.name}`) }))
    .filter(({ index }) => !optional.includes(index));
  return { ...locate(path, name), fields, oneofs };
}

function readEnum(each: EnumDescriptorProto, scope: string, path: readonly number[], locate: Locate): Enum {
  const name = `${scope}.${each.name}`;
  const values = each.value.map((value, index) => ({
    ...locate([...path, PATH.enum.value, index], `${name}.${value.name}`),
    number: value.number,
  }));
  return { ...locate(path, name), values };
}

function rulesOf(proto: FieldDescriptorProto): FieldRules | undefined {
  if (proto.options === undefined || !hasExtension(proto.options, fieldRules)) return undefined;
  return getExtension(proto.options, fieldRules);
}

function createLocate(file: FileDescriptorProto): Locate {
  const locations = new Map(file.sourceCodeInfo?.location.map((location) => [location.path.join(), location]));
  return (path, name) => {
    const location = locations.get(path.join());
    return {
      file: join("proto", file.name),
      line: (location?.span[0] ?? 0) + 1,
      name,
      comment: location?.leadingComments.trim() ?? "",
    };
  };
}
