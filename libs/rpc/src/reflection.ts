import type { DescFile, DescService } from "@bufbuild/protobuf";
import { Code, type ConnectRouter, type ServiceImpl } from "@connectrpc/connect";
import { file_google_rpc_error_details } from "@heddle/proto/google/rpc/error_details_pb.js";
import { ServerReflection, type ServerReflectionRequest } from "@heddle/proto/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ServerReflectionAlpha } from "@heddle/proto/grpc/reflection/v1alpha/reflection_pb.js";
import { createReflectionIndex, type ReflectionIndex } from "./reflection-index.ts";

/**
 * Registers gRPC server reflection, v1 and v1alpha (older tools ask for the latter only), for the given services and for
 * itself. The details of our errors are in it too, so that tools can print them.
 */
export function addReflection(router: ConnectRouter, services: readonly DescService[]): void {
  const all = [...services, ServerReflection, ServerReflectionAlpha];
  const index = createReflectionIndex(all, [file_google_rpc_error_details]);
  const implementation: ServiceImpl<typeof ServerReflection> = {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        yield { validHost: request.host, originalRequest: request, messageResponse: answer(index, request) };
      }
    },
  };
  router.service(ServerReflection, implementation);
  // The two versions differ in nothing but the names of their types, and messages carry those themselves.
  router.service(ServerReflectionAlpha, implementation as unknown as ServiceImpl<typeof ServerReflectionAlpha>);
}

/** What reflection says to one request. An error is an answer too: the stream goes on. */
export function answer(index: ReflectionIndex, { messageRequest }: ServerReflectionRequest) {
  switch (messageRequest.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: index.services.map((name) => ({ name })) } } as const;
    case "fileByFilename":
      return filesOf(index, index.findFile(messageRequest.value), `file "${messageRequest.value}"`);
    case "fileContainingSymbol":
      return filesOf(index, index.findFileOfSymbol(messageRequest.value), `symbol "${messageRequest.value}"`);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = messageRequest.value;
      const extension = index.findExtension(containingType, extensionNumber);
      return filesOf(index, extension?.file, `extension ${extensionNumber} of "${containingType}"`);
    }
    case "allExtensionNumbersOfType": {
      const extensionNumber = index.findExtensionNumbers(messageRequest.value);
      if (extensionNumber === undefined)
        return failure(Code.NotFound, `message "${messageRequest.value}" is not known here`);
      const value = { baseTypeName: messageRequest.value, extensionNumber };
      return { case: "allExtensionNumbersResponse", value } as const;
    }
    case undefined:
      return failure(Code.InvalidArgument, "the request asks nothing: set one field of message_request");
  }
}

function filesOf(index: ReflectionIndex, file: DescFile | undefined, what: string) {
  if (file === undefined) return failure(Code.NotFound, `${what} is not known here`);
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: index.closureOf(file) } } as const;
}

function failure(errorCode: Code, errorMessage: string) {
  return { case: "errorResponse", value: { errorCode, errorMessage } } as const;
}
