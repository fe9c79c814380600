import { expect, test } from "vitest";
import { childId, partitionBits } from "../src/index.ts";
import { add, createFixture, until } from "./fixture.ts";
import { describeOnServers } from "./servers.ts";

describeOnServers("derived ids that are used once", (server) => {
  test("are looked up nowhere while the partition has been here since they were decided on", async () => {
    const { start } = await createFixture(server);
    const offsets = new Map<string, number>();
    const looked: string[] = [];
    const runtime = await start({
      onCommitted: (turns) => turns.forEach(({ id, offset }) => offsets.set(id, offset)),
      onLoading: (ids) => looked.push(...ids),
    });
    const parent = runtime.newId();
    await runtime.submit(parent, { kind: "add", value: 1 }, { fresh: true });
    const freshSince = offsets.get(parent);
    const [first, second] = [childId(parent, "first"), childId(parent, "second")];
    expect(await runtime.submit(first, { kind: "add", value: 2 }, { freshSince })).toEqual({ seq: 1, sum: 2 });
    expect(looked).toEqual([]);
    expect(await add(runtime, second, 3)).toEqual({ seq: 1, sum: 3 });
    expect(looked).toEqual([second]);
    // In memory it is found, whatever is said of it.
    expect(await runtime.submit(first, { kind: "add", value: 2 }, { freshSince })).toEqual({ seq: 2, sum: 4 });
  });

  test("are found when another process has used them while it had the partition", async () => {
    const { start } = await createFixture(server);
    let since = 0;
    const first = await start({ owner: "first", onCommitted: (turns) => (since = turns[0]?.offset ?? since) });
    const second = await start({ owner: "second" });
    await until(() => second.ownedPartitions().length === 32, "the second has its share");
    const parent = second.newId();
    // The decision was the first one's, in a partition that is the second one's now.
    await second.stop();
    await until(() => first.ownedPartitions().length === 64, "the first has everything");
    await first.submit(parent, { kind: "add", value: 1 }, { fresh: true });
    const heir = await start({ owner: "second" });
    await until(() => heir.ownedPartitions().includes(partitionBits(parent)), "the partition has moved");
    const child = childId(parent, "child");
    await add(heir, child, 7);
    await heir.submit(child, { kind: "finish" });
    await until(() => heir.metrics().unprojectedEvents === 0, "its end is projected");
    await heir.stop();
    await until(() => first.ownedPartitions().includes(partitionBits(parent)), "the partition is back");
    const late = first.submit(child, { kind: "add", value: 7 }, { freshSince: since });
    await expect(late).rejects.toMatchObject({ reason: "FINISHED" });
  });
});
