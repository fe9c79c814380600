import {
  create,
  createFileRegistry,
  setExtension,
  type DescMessage,
  type DescService,
  type Message,
} from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FieldOptionsSchema,
  type FieldOptions,
  FileDescriptorProtoSchema,
  MethodOptions_IdempotencyLevel as Idempotency,
} from "@bufbuild/protobuf/wkt";
import {
  field,
  FieldRulesSchema,
  file_buf_validate_validate,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";

/** The message of the test service: a text, a number and, for frames, many small items. */
export type Echo = Message<"heddle.rpc.test.Echo"> & { text: string; count: number; items: Item[] };
export type Item = Message<"heddle.rpc.test.Item"> & { id: string; seq: number; body: string };

type M = GenMessage<Echo>;
type EchoServiceDesc = GenService<{
  once: { methodKind: "unary"; input: M; output: M };
  read: { methodKind: "unary"; input: M; output: M };
  missing: { methodKind: "unary"; input: M; output: M };
  down: { methodKind: "server_streaming"; input: M; output: M };
  up: { methodKind: "client_streaming"; input: M; output: M };
  both: { methodKind: "bidi_streaming"; input: M; output: M };
  missingStream: { methodKind: "bidi_streaming"; input: M; output: M };
}>;

const ruled = create(FieldOptionsSchema);
setExtension(ruled, field, create(FieldRulesSchema, { type: { case: "string", value: { maxLen: 100n } } }));

const ECHO = ".heddle.rpc.test.Echo";

function scalar(name: string, number: number, type: Type, options?: FieldOptions) {
  return { name, jsonName: name, number, type, label: Label.OPTIONAL, options };
}

function rpc(name: string, kind: { up?: boolean; down?: boolean; read?: boolean } = {}) {
  return {
    name,
    inputType: ECHO,
    outputType: ECHO,
    clientStreaming: kind.up ?? false,
    serverStreaming: kind.down ?? false,
    options: { idempotencyLevel: kind.read === true ? Idempotency.NO_SIDE_EFFECTS : Idempotency.IDEMPOTENCY_UNKNOWN },
  };
}

// Made here and not in proto/: the contract holds nothing that only tests use.
const file = create(FileDescriptorProtoSchema, {
  name: "heddle/rpc/test/echo.proto",
  package: "heddle.rpc.test",
  syntax: "proto3",
  dependency: ["buf/validate/validate.proto"],
  messageType: [
    {
      name: "Echo",
      field: [
        scalar("text", 1, Type.STRING, ruled),
        scalar("count", 2, Type.INT32),
        {
          name: "items",
          jsonName: "items",
          number: 3,
          type: Type.MESSAGE,
          typeName: ".heddle.rpc.test.Item",
          label: Label.REPEATED,
        },
      ],
    },
    {
      name: "Item",
      field: [scalar("id", 1, Type.STRING), scalar("seq", 2, Type.INT32), scalar("body", 3, Type.STRING)],
    },
  ],
  service: [
    {
      name: "EchoService",
      method: [
        rpc("Once"),
        rpc("Read", { read: true }),
        rpc("Missing"),
        rpc("Down", { down: true }),
        rpc("Up", { up: true }),
        rpc("Both", { up: true, down: true }),
        rpc("MissingStream", { up: true, down: true }),
      ],
    },
  ],
});

const registry = createFileRegistry(file, (name) =>
  name === "buf/validate/validate.proto" ? file_buf_validate_validate : findImport(name),
);

function findImport(name: string) {
  return file_buf_validate_validate.dependencies.find((dependency) => `${dependency.name}.proto` === name);
}

export const EchoService = registry.getService("heddle.rpc.test.EchoService") as DescService as EchoServiceDesc;
export const EchoSchema = registry.getMessage("heddle.rpc.test.Echo") as DescMessage as GenMessage<Echo>;
