import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findKafkaBroker, findKafkaRemedy } from "@heddle/broker";
import { startEmbeddedPostgres } from "@heddle/store";
import { findProcess } from "@heddle/up";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bufCurl, curl, grpcurl } from "../interop/clients.ts";
import { findGrpcurl } from "../interop/grpcurl.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const missing = findKafkaRemedy();
const grpcurlPath = await findGrpcurl();

let dataDir: string;
let dataPath: string | undefined;

interface Ran {
  code: number | null;
  text: string;
}

function run(file: string, args: string[] = [], env: Record<string, string> = {}): Promise<Ran> {
  const { DATABASE_URL: _, KAFKA_BROKERS: _k, HEDDLE_ADDRESS: _a, OPENAI_API_KEY: _o, ...inherited } = process.env;
  const options = {
    env: { ...inherited, HEDDLE_DATA_DIR: dataDir, HEDDLE_UP_PORTS: "free", HEDDLE_REPLICAS: "2", ...env },
    maxBuffer: 16 * 1024 * 1024,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, file), ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : null, text: stdout + stderr });
    });
  });
}

const up = (): Promise<Ran> => run("deploy/up/main.ts");
const down = (): Promise<Ran> => run("deploy/up/main.ts", ["down"]);

/** Process ids by name, as the table says them. */
function pidsOf(text: string): Map<string, number> {
  return new Map(
    [...text.matchAll(/^ {2}(\S+) +http:\S+ +pid (\d+)$/gm)].map(([, name = "", pid]) => [name, Number(pid)]),
  );
}

/** False also for one that its parent has not collected yet. */
function isAlive(pid: number): boolean {
  return findProcess(pid) !== undefined;
}

describe("make up", () => {
  let url = "";
  let pids: Map<string, number>;

  beforeEach((context) => missing !== undefined && context.skip(missing));
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "heddle-up-"));
    if (missing !== undefined) return;
    const { code, text } = await up();
    expect(text).toContain("Heddle is up:");
    expect(code, text).toBe(0);
    url = /Everything answers at (http:\S+):/.exec(text)?.[1] ?? "";
    pids = pidsOf(text);
    // Adopted, to learn where its data is: for root that is not in the folder.
    ({ dataPath } = await startEmbeddedPostgres({ dataDir: join(dataDir, "up", "postgres") }));
  });
  afterAll(async () => {
    await down();
    for (const path of [dataPath, dataDir]) if (path !== undefined) await rm(path, { recursive: true, force: true });
  });

  it("starts every service, and two of those that share work, as processes that outlive it", () => {
    expect([...pids.keys()]).toEqual([
      "definition",
      "scheduler-1",
      "scheduler-2",
      "execution-1",
      "execution-2",
      "statemachine-1",
      "statemachine-2",
      "gateway",
      "worker",
    ]);
    for (const pid of pids.values()) expect(isAlive(pid)).toBe(true);
  });

  it("says so when everything is up already, and starts nothing", async () => {
    const { code, text } = await up();
    expect(code, text).toBe(0);
    expect(text).toContain("Heddle is up already:");
    expect(pidsOf(text)).toEqual(pids);
  });

  it("serves every public service at the gateway, with reflection", async (context) => {
    const services = ["definition", "execution", "scheduler", "statemachine", "worker"];
    const strangers = [bufCurl(url), ...(grpcurlPath === undefined ? [] : [grpcurl(grpcurlPath, url)])];
    for (const stranger of strangers) {
      const listed = await stranger.listServices?.();
      for (const service of services) {
        expect(listed).toContainEqual(expect.stringMatching(new RegExp(`^heddle\\.${service}\\.v1\\.\\w+Service$`)));
      }
    }
    const machineId = "01900000-0000-7000-8000-000000000001";
    await expect(
      curl(url).call("heddle.statemachine.v1.StateMachineService/GetMachine", { machineId }),
    ).rejects.toThrow(/not_found/);
    if (grpcurlPath === undefined) context.skip("grpcurl is not there: put it on PATH, or install Go 1.24");
  });

  it("answers the command line", async () => {
    const folder = join(dataDir, "cli");
    await cp(join(ROOT, "examples/01-hello/hello.yaml"), join(folder, "hello.yaml"), { recursive: true });
    const heddle = (...args: string[]) => run("libs/cli/bin/heddle.js", [...args, "--address", url]);
    expect(await heddle("publish", join(folder, "hello.yaml"))).toMatchObject({ code: 0 });
    const ran = await heddle("run", "hello", "--input", '{"names": ["Ada"]}', "--watch");
    expect(ran.text).toContain("Hello, Ada!");
    expect(ran.code).toBe(0);
    expect((await heddle("workers")).text).toContain("tool:http_request");
  });

  it("runs every example", async () => {
    const names = (await readdir(join(ROOT, "examples"))).filter((name) => /^\d\d-/.test(name));
    const { code, text } = await run("scripts/demo-at.ts", [url]);
    expect(text).toContain(`${names.length} examples ran`);
    expect(text).toContain("Hello, Ada, Alan, Grace!");
    expect(text).toContain("20 answered, 6 asked back, 7 escalated, 3 closed as spam");
    expect(code, text).toBe(0);
  });

  it("starts anew when a part of the run before has died, and keeps the data", async () => {
    process.kill(pids.get("execution-1") ?? 0, "SIGKILL");
    await expect.poll(() => isAlive(pids.get("execution-1") ?? 0)).toBe(false);
    const { code, text } = await up();
    expect(text).toContain("execution-1 had ended");
    expect(code, text).toBe(0);
    const before = pids;
    pids = pidsOf(text);
    for (const [name, pid] of before) expect(isAlive(pid), name).toBe(false);
    url = /Everything answers at (http:\S+):/.exec(text)?.[1] ?? "";
    const listed = (await curl(url).call("heddle.definition.v1.DefinitionService/ListDefinitions", {})) as {
      definitions: { workflowId: string }[];
    };
    expect(listed.definitions.map(({ workflowId }) => workflowId)).toContain("hello");
  });

  it("makes down end all of it, and nothing be left to end", async () => {
    const { code, text } = await down();
    expect(text).toContain("all is down");
    expect(code, text).toBe(0);
    for (const [name, pid] of pids) expect(isAlive(pid), name).toBe(false);
    expect(findKafkaBroker(join(dataDir, "up", "kafka"))).toBeUndefined();
    expect((await down()).text).toContain("nothing was up");
    const log = await readFile(join(dataDir, "up", "logs", "execution-1.log"), "utf8");
    expect(log).toContain("execution is ready");
    for (const line of log.trim().split("\n")) expect(() => JSON.parse(line), line).not.toThrow();
  });
});
