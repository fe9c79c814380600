import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** What protos say of themselves in the comment above an event. */
function documentedTopics(): string[] {
  return globSync("proto/heddle/*/v1/*_event.proto").flatMap((path) =>
    [...readFileSync(path, "utf8").matchAll(/Topic `([\w.]+)`/g)].map(([, topic = ""]) => topic),
  );
}

test("deploy/topics.yaml has every topic that a proto names, and docs/events.md explains it", () => {
  const names = [...readFileSync("deploy/topics.yaml", "utf8").matchAll(/^ *- name: (\S+)/gm)].map(
    ([, name = ""]) => name,
  );
  expect(names.toSorted()).toEqual(documentedTopics().toSorted());
  const page = readFileSync("docs/events.md", "utf8");
  for (const name of names) expect(page).toContain(`| \`${name}\` |`);
});
