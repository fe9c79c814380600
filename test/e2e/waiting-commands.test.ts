import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { disposeDev, startDev, type TestDevProcess } from "./start-dev.ts";

const HEDDLE = fileURLToPath(new URL("../../libs/cli/bin/heddle.js", import.meta.url));

const ORDER = `workflow:
  id: order
  type: dag
  updates:
    - name: change-address
      input: { schema: { type: object, properties: { street: { type: string } }, required: [street] } }
      set: { street: "\${update.payload.street}" }
      reply: { street: "\${vars.street}" }
  queries:
    - { name: progress, output: { paid: "\${paid.status}", street: "\${vars.street ?? 'none'}" } }
  nodes:
    - { id: paid, type: action, subtype: wait, params: { signal: paid, key: "\${input.id}" } }
    - { id: checked, type: action, subtype: wait, params: { event: order_checked, key: "\${input.id}", duration: 1h } }
  output: { paid: "\${paid.output}", by: "\${checked.output.payload}" }
`;
const CHECK = `workflow:
  id: check
  type: dag
  nodes:
    - { id: tell, type: action, subtype: emit, params: { event: order_checked, key: "\${input.id}", payload: "\${input.by}" } }
`;

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

describe("what an execution waits for, and is asked while it does", () => {
  let folder: string;
  let dev: TestDevProcess;

  const heddle = (...args: string[]): Promise<Ran> =>
    new Promise((resolve) => {
      const env = { ...process.env, HEDDLE_ADDRESS: dev.url };
      execFile(process.execPath, [HEDDLE, ...args], { env }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-waiting-"));
    await writeFile(join(folder, "order.yaml"), ORDER);
    await writeFile(join(folder, "check.yaml"), CHECK);
    dev = await startDev();
  });
  afterAll(async () => {
    await disposeDev(dev);
    await rm(folder, { recursive: true, force: true });
  });

  it("is explained, updated, queried, signaled by key, and told of events", async () => {
    const run = await heddle("run", join(folder, "order.yaml"), "--input", '{"id":7}');
    const id = run.stdout.trim();
    const { stdout: explained } = await heddle("explain", id);
    expect(explained).toContain("signal: waits for paid (7)");
    expect(explained).toMatch(/event: waits for order_checked \(7\), until \d{4}-/);

    const refused = await heddle("update", id, "change-address", "--payload", '{"road":"Elm"}');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("street");
    const updated = await heddle("update", id, "change-address", "--payload", '{"street":"Elm"}');
    expect([updated.code, JSON.parse(updated.stdout)]).toEqual([0, { street: "Elm" }]);
    expect((await heddle("update", id, "chance-address")).code).toBe(3);
    const progress = await heddle("query", id, "progress");
    expect(JSON.parse(progress.stdout)).toEqual({ paid: "waiting", street: "Elm" });

    await heddle("signal", id, "paid", "--payload", '"wrong"', "--key", "8");
    await heddle("signal", id, "paid", "--payload", '"right"', "--key", "7");
    const other = (await heddle("run", "order", "--input", '{"id":9}')).stdout.trim();
    expect((await heddle("emit", "order_checked", "--key", "9", "--payload", '"Bob"')).stdout).toMatch(/told 1\n$/);
    expect(JSON.parse((await heddle("query", other, "waits")).stdout)).toMatchObject([{ node: "paid", key: "9" }]);
    await heddle("run", join(folder, "check.yaml"), "--input", '{"id":7,"by":"Ada"}', "--wait");
    const ended = await heddle("watch", id, "--timeout", "20s");
    expect(ended.code).toBe(0);
    const { stdout } = await heddle("get", id, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ output: { paid: "right", by: "Ada" } });
    const { stdout: history } = await heddle("history", id);
    expect(history).toMatch(/event received .*order_checked/);
    expect(history).toMatch(/signal received .*paid \(7\)/);
  });
});
