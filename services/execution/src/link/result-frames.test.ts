import { expect, it } from "vitest";
import { maxTasksPerFrame } from "../domain/limits.ts";
import { createResultFrames } from "./result-frames.ts";

function recorded() {
  const said: [upToFrame: bigint, returned: readonly string[]][] = [];
  return { said, frames: createResultFrames((upTo, returned) => said.push([upTo, [...returned]])) };
}

it("acknowledges a frame when all of it and of those before it are done", () => {
  const { said, frames } = recorded();
  const first = frames.open(1n, 2);
  const second = frames.open(2n, 1);
  second();
  first();
  expect(said).toEqual([]);
  first();
  expect(said).toEqual([[2n, []]]);
  frames.open(3n, 0);
  expect(said.at(-1)).toEqual([3n, []]);
});

it("says at once what is given back, also while frames before it are open", async () => {
  const { said, frames } = recorded();
  frames.open(1n, 1)();
  const open = frames.open(2n, 1);
  const third = frames.open(3n, 2);
  third("a");
  third("b");
  await Promise.resolve();
  expect(said).toEqual([
    [1n, []],
    [1n, ["a", "b"]],
  ]);
  open();
  expect(said.at(-1)).toEqual([3n, []]);
});

it("names what is given back no later than it acknowledges its frame", async () => {
  const { said, frames } = recorded();
  const done = frames.open(1n, maxTasksPerFrame + 1);
  for (let index = 0; index <= maxTasksPerFrame; index++) done(String(index));
  await Promise.resolve();
  expect(said.map(([upTo, { length }]) => [upTo, length])).toEqual([
    [0n, maxTasksPerFrame],
    [1n, 1],
  ]);
});
