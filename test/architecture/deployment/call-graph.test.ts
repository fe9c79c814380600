import { expect, it } from "vitest";
import { parse } from "yaml";
import { readSourceTree } from "../source-tree.ts";
import { type CallEdge, compareCallGraph, findCircle, importedBy } from "./call-graph.ts";
import { listServices, readText } from "./services.ts";

const { calls } = parse(readText("deploy/call-graph.yaml")) as { calls: CallEdge[] };
const services = listServices();
const tree = readSourceTree(process.cwd());
const imports = (name: string): Set<string> => importedBy(name, tree);

it("is what settings and code of the services say", () => {
  expect(compareCallGraph(calls, services, imports)).toEqual([]);
});

it("has no circle of calls", () => {
  expect(findCircle(calls)).toBeUndefined();
});

it("says each pair once, with a reason", () => {
  const pairs = calls.map(({ from, to }) => `${from} -> ${to}`);
  expect(new Set(pairs).size).toBe(pairs.length);
  for (const { by, why } of calls) {
    expect(["call", "stream", "delivery"]).toContain(by);
    expect(why.length).toBeGreaterThan(10);
  }
});

it("would notice each kind of difference", () => {
  const without = calls.filter(({ from, to }) => !(from === "execution" && to === "definition"));
  expect(compareCallGraph(without, services, imports)).toEqual([
    "execution asks for the address of definition, which it may not call",
    "execution imports heddle.definition.v1.DefinitionService, which it neither serves nor may call",
  ]);
  const extra: CallEdge = {
    from: "statemachine",
    to: "scheduler",
    services: ["heddle.scheduler.v1.SchedulerService"],
    by: "call",
    why: "",
  };
  expect(compareCallGraph([...calls, extra], services, imports)).toEqual([
    "statemachine may call scheduler, and has no setting for its address",
    "statemachine may call heddle.scheduler.v1.SchedulerService, and imports no client of it",
  ]);
  expect(compareCallGraph([...calls, { ...extra, to: "nowhere" }], services, imports)).toContain(
    "statemachine -> nowhere: there is no services/nowhere",
  );
  const back: CallEdge = { from: "definition", to: "scheduler", services: [], by: "call", why: "" };
  expect(findCircle([...calls, back])).toBe("definition -> scheduler -> execution -> definition");
});
