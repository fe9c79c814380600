import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** What the model says next, in words of neither protocol. */
export interface FakeAnswer {
  text?: string;
  toolCalls?: { name: string; arguments: unknown }[];
  stop?: "length" | "refusal";
  inputTokens?: number;
  outputTokens?: number;
  /** Another status than 200: an error of the server. */
  status?: number;
  message?: string;
  headers?: Record<string, string>;
  /** The body as it is, in place of all else. */
  raw?: string;
  /** Never answers. */
  silent?: boolean;
}

export type Protocol = "openai" | "anthropic";

/** A request as the model would understand it. */
export interface FakeRequest {
  headers: IncomingMessage["headers"];
  body: Record<string, never>;
  model: string;
  instructions: string | undefined;
  tools: string[];
  /** Role and text of each message; tool calls and results in short. */
  messages: { role: string; text: string }[];
}

export interface FakeModelServer {
  /** Base URLs by protocol. */
  readonly urls: Readonly<Record<Protocol, string>>;
  readonly requests: readonly FakeRequest[];
  /** Answers are given in order; the last one again and again. */
  answer(...answers: FakeAnswer[]): void;
  close(): Promise<void>;
}

type Block = Record<string, unknown>;

/** A server of models that speaks both protocols, and refuses what the real ones would refuse. */
export async function startFakeModelServer(): Promise<FakeModelServer> {
  const requests: FakeRequest[] = [];
  let answers: FakeAnswer[] = [{ text: "hello" }];

  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
    request.on("end", () => {
      const protocol =
        request.url === "/v1/chat/completions" ? "openai" : request.url === "/v1/messages" ? "anthropic" : undefined;
      const reply = (status: number, body: unknown, headers: Record<string, string> = {}) => {
        response.writeHead(status, { "content-type": "application/json", ...headers });
        response.end(typeof body === "string" ? body : JSON.stringify(body));
      };
      if (protocol === undefined) return reply(404, { error: { message: `no ${request.url}` } });
      const body = JSON.parse(text) as Block;
      const fault = protocol === "openai" ? faultOfOpenAi(body) : faultOfAnthropic(body, request.headers);
      if (fault !== undefined) return reply(400, { error: { message: fault } });
      requests.push(understand(protocol, request, body));
      const next = answers.length > 1 ? (answers.shift() as FakeAnswer) : (answers[0] as FakeAnswer);
      if (next.silent === true) return;
      if (next.raw !== undefined) return reply(200, next.raw);
      if (next.status !== undefined) {
        return reply(next.status, { error: { type: "error", message: next.message ?? "no" } }, next.headers);
      }
      reply(200, protocol === "openai" ? openAiAnswer(next) : anthropicAnswer(next));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    urls: { openai: `http://127.0.0.1:${port}/v1`, anthropic: `http://127.0.0.1:${port}` },
    requests,
    answer(...next) {
      answers = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function openAiAnswer({ text = "", toolCalls = [], stop, inputTokens = 10, outputTokens = 5 }: FakeAnswer): unknown {
  const reason =
    stop === "length" ? "length" : stop === "refusal" ? "content_filter" : toolCalls.length > 0 ? "tool_calls" : "stop";
  const calls = toolCalls.map((call, index) => ({
    id: `call_${index}`,
    type: "function",
    function: {
      name: call.name,
      arguments: typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments),
    },
  }));
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    choices: [
      {
        index: 0,
        finish_reason: reason,
        message: {
          role: "assistant",
          content: text === "" ? null : text,
          ...(calls.length > 0 && { tool_calls: calls }),
        },
      },
    ],
    usage: { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens },
  };
}

function anthropicAnswer({ text = "", toolCalls = [], stop, inputTokens = 10, outputTokens = 5 }: FakeAnswer): unknown {
  const reason = stop === "length" ? "max_tokens" : (stop ?? (toolCalls.length > 0 ? "tool_use" : "end_turn"));
  return {
    id: "msg_1",
    type: "message",
    role: "assistant",
    content: [
      ...(text === "" ? [] : [{ type: "text", text }]),
      ...toolCalls.map((call, index) => ({
        type: "tool_use",
        id: `call_${index}`,
        name: call.name,
        input: call.arguments,
      })),
    ],
    stop_reason: reason,
    usage: { input_tokens: inputTokens, output_tokens: outputTokens },
  };
}

const list = (value: unknown): Block[] => (Array.isArray(value) ? (value as Block[]) : []);

/** The rules of Chat Completions that a conversation with tools can break. */
function faultOfOpenAi(body: Block): string | undefined {
  let open: unknown[] = [];
  for (const message of list(body["messages"])) {
    if (message["role"] === "tool") {
      if (!open.includes(message["tool_call_id"])) return "a tool message answers no call";
      open = open.filter((id) => id !== message["tool_call_id"]);
    } else if (open.length > 0) return "a call has no answer";
    if (typeof message["content"] !== "string") return "content must be a string";
    open.push(...list(message["tool_calls"]).map(({ id }) => id));
  }
  return open.length > 0 ? "a call has no answer" : undefined;
}

/** The rules of Messages that a conversation with tools can break. */
function faultOfAnthropic(body: Block, headers: IncomingMessage["headers"]): string | undefined {
  if (headers["anthropic-version"] !== "2023-06-01") return "anthropic-version: header is required";
  if (typeof body["max_tokens"] !== "number") return "max_tokens: field required";
  let open: unknown[] = [];
  let last = "assistant";
  for (const { role, content } of list(body["messages"])) {
    if (role === last) return "roles must alternate";
    last = String(role);
    const blocks = list(content);
    if (content === "" || (Array.isArray(content) && blocks.length === 0))
      return "messages must have non-empty content";
    const answered = blocks.filter(({ type }) => type === "tool_result").map((block) => block["tool_use_id"]);
    if (open.some((id) => !answered.includes(id)) || answered.some((id) => !open.includes(id)))
      return "tool_use without tool_result";
    if (blocks.some((block) => block["type"] === "text" && block["text"] === ""))
      return "text content blocks must be non-empty";
    open = blocks.filter(({ type }) => type === "tool_use").map(({ id }) => id);
  }
  return undefined;
}

function understand(protocol: Protocol, request: IncomingMessage, body: Block): FakeRequest {
  const messages = list(body["messages"]);
  const system = messages.find(({ role }) => role === "system")?.["content"];
  return {
    headers: request.headers,
    body: body as Record<string, never>,
    model: String(body["model"]),
    instructions: (protocol === "openai" ? system : body["system"]) as string | undefined,
    tools: list(body["tools"]).map((tool) => String((tool["function"] as Block | undefined)?.["name"] ?? tool["name"])),
    messages: messages
      .filter(({ role }) => role !== "system")
      .flatMap(protocol === "openai" ? understandOpenAi : understandAnthropic),
  };
}

function understandOpenAi(message: Block): { role: string; text: string }[] {
  const calls = list(message["tool_calls"]).map((call) => ({
    role: "call",
    text: String((call["function"] as Block)["name"]),
  }));
  const text = String(message["content"]);
  return [...(text === "" ? [] : [{ role: String(message["role"]), text }]), ...calls];
}

function understandAnthropic({ role, content }: Block): { role: string; text: string }[] {
  if (typeof content === "string") return [{ role: String(role), text: content }];
  return list(content).map((block) => {
    if (block["type"] === "tool_use") return { role: "call", text: String(block["name"]) };
    if (block["type"] === "tool_result") return { role: "tool", text: String(block["content"]) };
    return { role: String(role), text: String(block["text"]) };
  });
}
