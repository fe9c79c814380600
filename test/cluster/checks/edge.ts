import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { text } from "node:stream/consumers";
import { runProgram } from "../../interop/program.ts";
import { type Check, eventually, expectThat, type Session } from "../session.ts";

const WORKFLOW = "heddle-helm-test";
const EXECUTIONS = "heddle.execution.v1.ExecutionService";

interface Answer {
  execution: { status: string; output: unknown };
}

export const grpcAtEdge: Check = {
  name: "a workflow through the edge by grpcurl",
  async run(session) {
    const grpcurl = needGrpcurl(session);
    return await atEdge(session, "grpc", async (host) => {
      const security = grpcurlSecurity(session);
      const { stdout: listed } = await runProgram(grpcurl, [...security, host, "list"]);
      expectThat(listed.toString().includes(EXECUTIONS), `grpcurl list said: ${listed.toString()}`);
      const request = JSON.stringify({ workflowId: WORKFLOW, input: { n: 4 }, wait: "30s" });
      const call = ["-d", request, host, `${EXECUTIONS}/StartExecution`];
      const { stdout, stderr } = await runProgram(grpcurl, [...security, ...call]);
      expectThat(stdout.length > 0, stderr);
      return checkAnswer(JSON.parse(stdout.toString()) as Answer);
    });
  },
};

export const connectAtEdge: Check = {
  name: "a workflow through the edge by Connect JSON",
  run: (session) =>
    atEdge(session, "http", async (host) => {
      const body = JSON.stringify({ workflowId: WORKFLOW, input: { n: 4 }, wait: "30s" });
      return checkAnswer(JSON.parse(await post(session, host, body)) as Answer);
    }),
};

export const strangerAtEdge: Check = {
  name: "who has no certificate is told so, and who speaks no TLS",
  async run(session) {
    const grpcurl = needGrpcurl(session);
    return await atEdge(session, "grpc", async (host) => {
      const call = ["-d", "{}", "-max-time", "10", host, `${EXECUTIONS}/ListExecutions`];
      const { caFile = "", serverName = "" } = session.tls ?? {};
      const authority = [
        "-cacert",
        caFile,
        "-authority",
        serverName,
        "-proto",
        "heddle/execution/v1/execution_service.proto",
      ];
      const paths = ["-import-path", "proto", "-import-path", "proto/vendor"];
      const { stderr: uncertified } = await runProgram(grpcurl, [...authority, ...paths, ...call]);
      expectThat(uncertified.includes("a certificate of the right authority"), `without one: ${uncertified}`);
      const plain = ["-plaintext", "-proto", "heddle/execution/v1/execution_service.proto", ...paths];
      const { stderr: unencrypted } = await runProgram(grpcurl, [...plain, ...call]);
      expectThat(unencrypted.includes("by TLS only"), `in cleartext: ${unencrypted}`);
      return "both are refused in words";
    });
  },
};

function needGrpcurl({ grpcurl }: Session): string {
  if (grpcurl === undefined) throw new Error("put grpcurl on PATH, or install Go");
  return grpcurl;
}

function grpcurlSecurity({ tls }: Session): string[] {
  if (tls === undefined) return ["-plaintext"];
  const { caFile, certFile, keyFile, serverName } = tls;
  return ["-cacert", caFile, "-cert", certFile, "-key", keyFile, "-authority", serverName];
}

/** Starts an execution over HTTP/1.1, by TLS where the round has it. */
async function post({ tls }: Session, host: string, body: string): Promise<string> {
  const url = new URL(`${tls === undefined ? "http" : "https"}://${host}/${EXECUTIONS}/StartExecution`);
  const options = {
    method: "POST",
    headers: { "content-type": "application/json" },
    ...(tls && {
      ca: readFileSync(tls.caFile),
      cert: readFileSync(tls.certFile),
      key: readFileSync(tls.keyFile),
      servername: tls.serverName,
    }),
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = tls === undefined ? http.request(url, options, resolve) : https.request(url, options, resolve);
    request.once("error", reject).end(body);
  });
  return text(response);
}

function checkAnswer({ execution }: Answer): string {
  expectThat(execution.status === "EXECUTION_STATUS_COMPLETED", JSON.stringify(execution));
  expectThat(JSON.stringify(execution.output) === '{"n":9}', `the output is ${JSON.stringify(execution.output)}`);
  return "4 * 2 + 1 = 9";
}

/** Calls the edge Service by a port-forward, which every cluster offers. */
async function atEdge<T>(session: Session, port: string, call: (host: string) => Promise<T>): Promise<T> {
  const { kube, config, kubectlPath } = session;
  const child = spawn(
    kubectlPath,
    ["--namespace", kube.namespace, "port-forward", `service/${config.release}`, `:${port}`],
    { env: { ...process.env, KUBECONFIG: config.kubeconfig }, stdio: ["ignore", "pipe", "inherit"] },
  );
  try {
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const host = await eventually("port-forward", async () => /127\.0\.0\.1:\d+/.exec(said)?.[0], 20_000);
    return await call(host);
  } finally {
    const ended = once(child, "exit");
    child.kill();
    await ended;
  }
}
