import type { Check } from "./check.ts";

export const poisonSetAside: Check = {
  id: "poison-set-aside",
  promise: 7,
  claim: "messages that nobody can read were set aside, once by each group, and no others",
  run({ poison: { planted, groups, setAside } }, look) {
    const count = Map.groupBy(setAside, ({ group, key }) => `${group} ${key}`);
    for (const key of planted) {
      for (const group of groups) {
        const times = count.get(`${group} ${key}`)?.length ?? 0;
        look(times === 1 ? undefined : `${group} has set ${key} aside ${times} times`);
      }
    }
    const known = new Set(planted);
    for (const { group, topic, key, error } of setAside) {
      if (!known.has(key)) look(`${group} has set the message of ${key} in ${topic} aside: ${error}`);
    }
  },
};
