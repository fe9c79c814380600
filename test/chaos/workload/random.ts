import { createRandom as createGenerator, type Random as Generator } from "../../e2e/random.ts";

/** Choices that a seed decides. */
export interface Random extends Generator {
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  pick<T>(items: readonly T[]): T;
  /** True once in `times`. */
  oneIn(times: number): boolean;
  /** A generator of its own, so that what one part draws does not depend on how much another part drew. */
  fork(): Random;
}

export function createRandom(seed: number): Random {
  const generator = createGenerator(seed);
  const below = (bound: number): number => generator.below(bound);
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    pick: (items) => items[below(items.length)] as never,
    oneIn: (times) => below(times) === 0,
    fork: () => createRandom(below(2 ** 31)),
  };
}
