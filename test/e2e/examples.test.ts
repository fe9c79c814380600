import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createExampleRunner, EXAMPLES, type ExampleRunner, readJson, ROOT } from "./run-example.ts";
import { disposeDev, startDev } from "./start-dev.ts";

const exec = promisify(execFile);

let runner: ExampleRunner;
const runExample: ExampleRunner["run"] = (...args) => runner.run(...args);
const resultOf: ExampleRunner["resultOf"] = (...args) => runner.resultOf(...args);

beforeAll(async () => {
  runner = await createExampleRunner();
});
afterAll(() => runner.dispose());

describe("the definitions of the examples", () => {
  it("are valid, without warnings", async () => {
    const entries = await readdir(EXAMPLES, { recursive: true });
    const files: string[] = [];
    for (const entry of entries.filter((path) => path.endsWith(".yaml") && !path.includes("node_modules"))) {
      const path = join(EXAMPLES, entry);
      if ((await readFile(path, "utf8")).startsWith("workflow:")) files.push(path);
    }
    expect(files.length).toBeGreaterThanOrEqual(5);
    const heddle = join(ROOT, "libs/cli/bin/heddle.js");
    const { stdout } = await exec(process.execPath, [heddle, "validate", "--strict", "--json", ...files]);
    expect(JSON.parse(stdout)).toMatchObject({ valid: true, files: files.map(() => ({ findings: [] })) });
  });
});

describe("01-hello", () => {
  it("greets, and shows each event", async () => {
    expect(await resultOf("01-hello")).toEqual({ text: "Hello, Ada, Alan, Grace!", count: 3 });
    const shown = await runExample("01-hello");
    const readme = await readFile(join(EXAMPLES, "01-hello/README.md"), "utf8");
    expect(readme).toContain(shown.trim());
  });
});

interface Answer {
  ticket: string;
  outcome: string;
  category: string;
  mood: string;
  language: string;
  customer: string;
  reply: string;
}

describe("02-customer-support", () => {
  it("does the right thing with each ticket", async () => {
    const tickets = await readJson<{ id: string }[]>("02-customer-support/data/tickets.json");
    const expected = await readJson<Record<string, object>>("02-customer-support/data/expected.json");
    const answers = await resultOf<Answer[]>("02-customer-support");
    expect(tickets.length).toBeGreaterThanOrEqual(30);
    expect(answers.map(({ ticket }) => ticket)).toEqual(tickets.map(({ id }) => id));
    const got = answers.map(({ ticket, category, outcome, mood, language }) => [
      ticket,
      { category, outcome, mood, language },
    ]);
    expect(Object.fromEntries(got)).toEqual(expected);
    const answered = answers.filter(({ outcome }) => outcome === "answered");
    for (const { ticket, reply, customer } of answered) expect(reply, ticket).toContain(customer);
    expect(new Set(answered.map(({ reply }) => reply)).size).toBe(answered.length);
  });

  it("runs against a server that is there already, which knows nothing of it", async () => {
    const dev = await startDev();
    try {
      const shown = await runExample("02-customer-support", [], { HEDDLE_ADDRESS: dev.url });
      expect(shown).toMatch(/36 tickets in .*: 20 answered, 6 asked back, 7 escalated, 3 closed as spam/);
    } finally {
      await disposeDev(dev);
    }
  });
});

describe("03-own-worker", () => {
  it("retries what passes, fails at once on what does not, and stops what is canceled", async () => {
    interface Ended {
      status: string;
      failure?: { type: string };
      nodes: { nodeId: string; status: string; attempt: number; worker: string }[];
    }
    const ended = await resultOf<Ended[]>("03-own-worker");
    const charge = (order: Ended | undefined) => order?.nodes.find(({ nodeId }) => nodeId === "charge");
    expect(ended.map(({ status }) => status)).toEqual(["completed", "failed", "canceled"]);
    expect(charge(ended[0])).toMatchObject({ status: "completed", attempt: 3 });
    expect(charge(ended[1])).toMatchObject({ status: "failed", attempt: 1 });
    expect(ended[1]?.failure?.type).toBe("card_declined");
    expect(charge(ended[2])).toMatchObject({ attempt: 0 });
  });
});

interface Element {
  symbol: string;
  name: string;
  weight: number | null;
  period: number;
  block: string;
  state: string;
}

describe("04-data-pipeline", () => {
  it("reports what a computation apart from it finds in the data", async () => {
    const { elements } = await readJson<{ elements: Element[] }>("04-data-pipeline/data/elements.json");
    expect(elements).toHaveLength(118);
    const weighed = elements.filter(({ weight }) => weight !== null);
    const summaries = ["s", "p", "d", "f"].map((block) => {
      const members = elements.filter((element) => element.block === block);
      const byWeight = members
        .flatMap(({ symbol, weight }) => (weight === null ? [] : [{ symbol, weight }]))
        .toSorted((a, b) => b.weight - a.weight);
      return {
        block,
        count: members.length,
        periods: [...new Set(members.map(({ period }) => period))].toSorted((a, b) => a - b),
        prepared: members.filter(({ state }) => state === "prepared").length,
        heaviest: byWeight.slice(0, 3),
        lightest: byWeight.at(-1),
      };
    });
    expect(await resultOf("04-data-pipeline")).toEqual({
      elements: 118,
      weighed: weighed.length,
      liquids: ["Bromine", "Mercury"],
      blocks: summaries,
    });
  });
});

describe("05-nightly-report", () => {
  it("starts by itself at its times, and each report is announced once", async () => {
    interface Announcement {
      night: string;
      report: string;
      text: string;
    }
    const announced = await resultOf<Announcement[]>("05-nightly-report");
    const times = announced.map(({ night }) => Date.parse(night));
    expect(times).toHaveLength(3);
    for (const time of times) expect(time % 2_000).toBe(0);
    expect(new Set(times).size).toBe(3);
    expect(new Set(announced.map(({ report }) => report)).size).toBe(3);
    expect(new Set(announced.map(({ text }) => text))).toEqual(new Set(["3 orders, 2 of them large"]));
  });
});

describe("06-order-machine", () => {
  it("takes each order its own way, some of them by time alone", async () => {
    interface Orders {
      ended: { what: string; way: string[]; paid: number; reason: string }[];
      refusal: string;
    }
    const { ended, refusal } = await resultOf<Orders>("06-order-machine");
    expect(ended.map(({ way, paid, reason }) => [way.at(-1), paid, reason])).toEqual([
      ["kept", 40, "none"],
      ["canceled", 10, "not paid in time"],
      ["refunded", 40, "lost on the way"],
      ["refunded", 40, "too small"],
    ]);
    expect(ended[3]?.way).toEqual(["open", "packing", "shipped", "delivered", "returning", "refunded"]);
    expect(refusal).toContain("is in open, where the event ship leads nowhere; expected there: pay, cancel");
  });
});

describe("07-washing-machine", () => {
  it("goes on where the power went away, in all regions", async () => {
    interface Washing {
      steps: { event: string; states: string[]; handled: boolean }[];
      tumbles: number;
    }
    const { steps, tumbles } = await resultOf<Washing>("07-washing-machine");
    expect(steps.map(({ event, states }) => [event, states.join(" ")])).toEqual([
      ["power.on", "idle shut silent"],
      ["start", "filling shut silent"],
      ["open", "filling shut silent"],
      ["water.full", "tumbling shut silent"],
      ["power.off", "unplugged"],
      ["power.on", "tumbling shut silent"],
      ["(time)", "filling shut silent"],
      ["water.full", "tumbling shut silent"],
      ["(time)", "clean shut beeped"],
      ["open", "idle ajar silent"],
    ]);
    expect(steps.filter(({ handled }) => !handled).map(({ event }) => event)).toEqual(["open"]);
    expect(tumbles).toBe(3);
  });
});

describe("08-conversation", () => {
  it("lets the agent answer in turn, and gives up on who stays silent", async () => {
    const ends = await resultOf<{ end: string; people: number; transcript: string[] }[]>("08-conversation");
    expect(ends.map(({ end, people }) => [end, people])).toEqual([
      ["booked", 4],
      ["left", 0],
    ]);
    expect(ends[0]?.transcript.map((line) => line.split(":")[0])).toEqual([
      "guest",
      "host",
      "guest",
      "host",
      "guest",
      "host",
    ]);
    expect(ends[0]?.transcript.at(-1)).toBe("host: Booked for 4. We look forward to you!");
  });
});

describe("09-order-and-fulfilment", () => {
  it("lets a workflow wait for a machine that waits for a workflow, and cancels what is left", async () => {
    expect(await resultOf("09-order-and-fulfilment")).toEqual({
      sold: { text: "parcel with cup, pot is on its way with DHL", price: 40 },
      canceled: "canceled",
    });
  });
});

describe("15-human-approval", () => {
  it("pays what people allow, asks others when nobody answers, and does without in the end", async () => {
    expect(await resultOf("15-human-approval")).toEqual([
      { customer: "kim", paid: 20, by: "ann", reason: "half of it", mended: ["amount"] },
      { customer: "lou", paid: 900, by: "eve", reason: "a good customer", mended: [] },
      { customer: "max", paid: 0, by: "nobody", reason: "nobody has answered", mended: [] },
    ]);
  });
});
