import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { file_buf_validate_validate } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Health } from "@heddle/proto/grpc/health/v1/health_pb.js";
import { ServerReflection, ServerReflectionRequestSchema } from "@heddle/proto/grpc/reflection/v1/reflection_pb.js";
import { describe, expect, it } from "vitest";
import { answer } from "./reflection.ts";
import { createReflectionIndex } from "./reflection-index.ts";

const index = createReflectionIndex([ServerReflection, Health], [file_buf_validate_validate]);
type Question = Parameters<typeof answer>[1]["messageRequest"];

function ask(messageRequest: Question) {
  return answer(index, create(ServerReflectionRequestSchema, { messageRequest }));
}

function filesIn(response: ReturnType<typeof answer>) {
  if (response.case !== "fileDescriptorResponse") throw new Error(`no files, but ${JSON.stringify(response.value)}`);
  return response.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

describe("reflection", () => {
  it("lists services by name", () => {
    expect(ask({ case: "listServices", value: "" }).value).toEqual({
      service: [{ name: "grpc.health.v1.Health" }, { name: "grpc.reflection.v1.ServerReflection" }],
    });
  });

  it.each([
    ["service", "grpc.health.v1.Health"],
    ["method", "grpc.health.v1.Health.Watch"],
    ["message", "grpc.health.v1.HealthCheckResponse"],
    ["nested enum", "grpc.health.v1.HealthCheckResponse.ServingStatus"],
    ["enum value, in the scope around its enum", "grpc.health.v1.HealthCheckResponse.SERVING"],
    ["field", "grpc.health.v1.HealthCheckRequest.service"],
  ])("finds the file of a %s", (_, value) => {
    expect(filesIn(ask({ case: "fileContainingSymbol", value })).map(({ name }) => name)).toEqual([
      "grpc/health/v1/health.proto",
    ]);
  });

  it.each([
    "buf.validate.FieldRules.string",
    "buf.validate.field",
    "buf.validate.IGNORE_ALWAYS",
    "buf.validate.FieldRules.type",
  ])("finds %s", (value) => {
    expect(filesIn(ask({ case: "fileContainingSymbol", value })).at(-1)?.name).toBe("buf/validate/validate.proto");
  });

  it("gives a file with everything it imports, imports first, so that it can be linked", () => {
    const file = filesIn(ask({ case: "fileByFilename", value: "buf/validate/validate.proto" }));
    expect(file.map(({ name }) => name)).toEqual([
      "google/protobuf/descriptor.proto",
      "google/protobuf/duration.proto",
      "google/protobuf/field_mask.proto",
      "google/protobuf/timestamp.proto",
      "buf/validate/validate.proto",
    ]);
    const linked = createFileRegistry(create(FileDescriptorSetSchema, { file }));
    expect(linked.getMessage("buf.validate.FieldRules")?.fields.length).toBeGreaterThan(20);
  });

  it("knows extensions by number and by extendee", () => {
    const options = "google.protobuf.FieldOptions";
    expect(ask({ case: "allExtensionNumbersOfType", value: options }).value).toMatchObject({
      baseTypeName: options,
      extensionNumber: [1159, 1160],
    });
    const value = {
      $typeName: "grpc.reflection.v1.ExtensionRequest",
      containingType: options,
      extensionNumber: 1159,
    } as const;
    expect(filesIn(ask({ case: "fileContainingExtension", value })).at(-1)?.name).toBe("buf/validate/validate.proto");
    expect(ask({ case: "allExtensionNumbersOfType", value: "grpc.health.v1.HealthCheckRequest" }).value).toMatchObject({
      extensionNumber: [],
    });
  });

  it.each<[string, Question, number]>([
    ["an unknown file", { case: "fileByFilename", value: "nope.proto" }, 5],
    ["an unknown symbol", { case: "fileContainingSymbol", value: "no.Such" }, 5],
    ["a name that objects have", { case: "fileContainingSymbol", value: "constructor" }, 5],
    ["an unknown extendee", { case: "allExtensionNumbersOfType", value: "no.Such" }, 5],
    [
      "an unknown extension",
      {
        case: "fileContainingExtension",
        value: { $typeName: "grpc.reflection.v1.ExtensionRequest", containingType: "no.Such", extensionNumber: 1 },
      },
      5,
    ],
    ["an empty question", { case: undefined }, 3],
  ])("answers %s with an error, not with the end of the stream", (_, question, errorCode) => {
    expect(ask(question)).toMatchObject({ case: "errorResponse", value: { errorCode } });
  });
});
