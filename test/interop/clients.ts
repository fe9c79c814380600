import { createRegistry, fromJson, toJson, type DescMethod, type JsonValue } from "@bufbuild/protobuf";
import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { createGrpcTransport } from "@heddle/rpc";
import { runProgram } from "./program.ts";

/** A stranger that speaks to the suite: JSON in, JSON out. */
export interface InteropClient {
  /** One call. @throws when it is refused, with what the program says. */
  call(method: string, request: JsonValue): Promise<JsonValue>;
  /** A call that answers with a stream, to its end. */
  stream(method: string, request: JsonValue): Promise<JsonValue[]>;
  /** Services by name, learned from the server alone. */
  listServices?(): Promise<string[]>;
  /** The source of one symbol, learned from the server alone. */
  describe?(symbol: string): Promise<string>;
}

/** `buf curl`, over gRPC, with the schema from reflection. */
export function bufCurl(url: string): InteropClient {
  const run = (...args: string[]) => checked("buf", ["curl", "--protocol", "grpc", "--http2-prior-knowledge", ...args]);
  const stream: InteropClient["stream"] = async (method, request) =>
    parseConcatenated(await run("-d", JSON.stringify(request), `${url}/${method}`));
  return {
    stream,
    call: async (method, request) => only(await stream(method, request)),
    async listServices() {
      const methods = (await run("--list-methods", url)).trim().split("\n");
      return [...new Set(methods.map((method) => method.slice(0, method.lastIndexOf("/"))))];
    },
  };
}

/** grpcurl, with the schema from reflection. */
export function grpcurl(program: string, url: string): InteropClient {
  const { host } = new URL(url);
  const run = (...args: string[]) => checked(program, ["-plaintext", ...args]);
  const stream: InteropClient["stream"] = async (method, request) =>
    parseConcatenated(await run("-d", JSON.stringify(request), host, method));
  return {
    stream,
    call: async (method, request) => only(await stream(method, request)),
    listServices: async () => (await run(host, "list")).trim().split("\n"),
    describe: (symbol) => run(host, "describe", symbol),
  };
}

/** curl, over HTTP/1.1, with the Connect protocol in JSON. */
export function curl(url: string): InteropClient {
  const run = (method: string, type: string, input: string | Buffer) =>
    runProgram("curl", ["-sS", "--http1.1", "-H", `content-type: ${type}`, "--data-binary", "@-", `${url}/${method}`], {
      input,
    });
  return {
    async call(method, request) {
      const answer = JSON.parse((await run(method, "application/json", JSON.stringify(request))).stdout.toString());
      if ("code" in answer) throw new Error(JSON.stringify(answer));
      return answer as JsonValue;
    },
    async stream(method, request) {
      const { stdout } = await run(method, "application/connect+json", envelope(JSON.stringify(request)));
      return readEnvelopes(stdout);
    },
  };
}

/** grpc-js with code that is generated from the protos. */
export function grpcJs(url: string): InteropClient {
  const registry = createRegistry(DefinitionService.file, ExecutionService.file);
  const find = (path: string): DescMethod => {
    const [service = "", name] = path.split("/");
    const method = registry.getService(service)?.methods.find((candidate) => candidate.name === name);
    if (method === undefined) throw new Error(`the contract has no ${path}`);
    return method;
  };
  return {
    async call(path, request) {
      const method = find(path);
      const transport = createGrpcTransport(url);
      try {
        const input = fromJson(method.input, request);
        const { message } = await transport.unary(method as never, undefined, 20_000, undefined, input);
        return toJson(method.output, message);
      } finally {
        transport.close();
      }
    },
    async stream(path, request) {
      const method = find(path);
      const transport = createGrpcTransport(url);
      try {
        const input = fromJson(method.input, request);
        const response = await transport.stream(method as never, undefined, 20_000, undefined, one(input) as never);
        const messages: JsonValue[] = [];
        for await (const message of response.message) messages.push(toJson(method.output, message));
        return messages;
      } finally {
        transport.close();
      }
    },
  };
}

async function checked(program: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${stderr}`);
  return stdout.toString();
}

/** These programs print one indented JSON object after the other. */
function parseConcatenated(text: string): JsonValue[] {
  return text
    .split(/^(?=\{)/m)
    .filter((part) => part.trim() !== "")
    .map((part) => JSON.parse(part) as JsonValue);
}

function only(messages: JsonValue[]): JsonValue {
  const [message, ...more] = messages;
  if (message === undefined || more.length > 0) throw new Error(`one message was due, not ${messages.length}`);
  return message;
}

async function* one<T>(value: T): AsyncIterable<T> {
  yield value;
}

/** Connect's framing of streams: a byte of flags and four of length before each message. */
function envelope(json: string): Buffer {
  const body = Buffer.from(json);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.byteLength, 1);
  return Buffer.concat([head, body]);
}

const END_OF_STREAM = 2;

function readEnvelopes(bytes: Buffer): JsonValue[] {
  const messages: JsonValue[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    const json = JSON.parse(bytes.subarray(at + 5, end).toString()) as JsonValue;
    if ((bytes.readUInt8(at) & END_OF_STREAM) === 0) messages.push(json);
    else if (JSON.stringify(json).includes("error")) throw new Error(JSON.stringify(json));
    at = end;
  }
  return messages;
}
