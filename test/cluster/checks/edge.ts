import { spawn } from "node:child_process";
import { once } from "node:events";
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
    const { grpcurl } = session;
    if (grpcurl === undefined) throw new Error("put grpcurl on PATH, or install Go");
    return await atEdge(session, "grpc", async (host) => {
      const { stdout: listed } = await runProgram(grpcurl, ["-plaintext", host, "list"]);
      expectThat(listed.toString().includes(EXECUTIONS), `grpcurl list said: ${listed.toString()}`);
      const request = JSON.stringify({ workflowId: WORKFLOW, input: { n: 4 }, wait: "30s" });
      const { stdout, stderr } = await runProgram(grpcurl, [
        "-plaintext",
        "-d",
        request,
        host,
        `${EXECUTIONS}/StartExecution`,
      ]);
      expectThat(stdout.length > 0, stderr);
      return checkAnswer(JSON.parse(stdout.toString()) as Answer);
    });
  },
};

export const connectAtEdge: Check = {
  name: "a workflow through the edge by Connect JSON",
  run: (session) =>
    atEdge(session, "http", async (host) => {
      const response = await fetch(`http://${host}/${EXECUTIONS}/StartExecution`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ workflowId: WORKFLOW, input: { n: 4 }, wait: "30s" }),
      });
      return checkAnswer((await response.json()) as Answer);
    }),
};

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
