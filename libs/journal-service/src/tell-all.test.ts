import { DomainError, type ErrorKind } from "@heddle/errors";
import { expect, it } from "vitest";
import { tellAll } from "./tell-all.ts";

const away = refusal("unavailable");
const broken = refusal("failed_precondition");
const defect = new TypeError("x is undefined");

function refusal(kind: ErrorKind): DomainError {
  return new DomainError({ kind, reason: "ANY", message: kind });
}

/** Tells 0 to `count - 1`, three to a page and two at once; gives who was told, who refused, and what was thrown. */
async function run(count: number, failures: Record<number, Error>) {
  const told: number[] = [];
  const refused: [number, DomainError][] = [];
  const pages = [];
  for (let first = 0; first < count; first += 3)
    pages.push(Array.from({ length: Math.min(3, count - first) }, (_, index) => first + index));
  const outcome = tellAll(pages, {
    atOnce: 2,
    async tell(receiver) {
      const failure = failures[receiver];
      if (failure !== undefined) throw failure;
      told.push(receiver);
    },
    onRefused: (receiver, error) => refused.push([receiver, error]),
  });
  const thrown = await outcome.then(
    () => undefined,
    (error: unknown) => error,
  );
  return { told, refused, thrown };
}

it("tells all of all pages", async () => {
  expect(await run(7, {})).toEqual({ told: [0, 1, 2, 3, 4, 5, 6], refused: [], thrown: undefined });
});

it("leaves out who refuses for good, and tells everybody behind", async () => {
  const { told, refused, thrown } = await run(6, { 0: broken, 4: broken });
  expect(told).toEqual([1, 2, 3, 5]);
  expect(refused).toEqual([
    [0, broken],
    [4, broken],
  ]);
  expect(thrown).toBeUndefined();
});

it("tells everybody behind one that is away, and says then that somebody was not told", async () => {
  expect(await run(5, { 0: away })).toEqual({ told: [1, 2, 3, 4], refused: [], thrown: away });
});

it("says a defect last, as it comes again when nobody is away any more", async () => {
  expect((await run(5, { 0: defect })).thrown).toBe(defect);
  expect(await run(5, { 0: defect, 3: away })).toEqual({ told: [1, 2, 4], refused: [], thrown: away });
});

it("goes no further when a whole group is away: the rest would wait for the same", async () => {
  expect(await run(9, { 3: away, 4: away })).toEqual({ told: [0, 1, 2], refused: [], thrown: away });
});
