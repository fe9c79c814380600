import { setTimeout as sleep } from "node:timers/promises";
import kafkajs from "kafkajs";
import type { TopicConfig } from "../src/index.ts";

const STABLE = "Stable";

/** Enough for several members to share, and quick to make. */
export function testTopic(name: string, partitions = 6): TopicConfig {
  return { name, partitions, replicationFactor: 1, retentionMs: -1 };
}

export interface GroupWatcher {
  membersJoined(group: string, members: number): Promise<void>;
  close(): Promise<void>;
}

/** Asks the broker for the members of groups, with a plain client: what is tested does not judge itself. */
export async function watchGroups(brokers: string[]): Promise<GroupWatcher> {
  const admin = new kafkajs.Kafka({
    brokers,
    clientId: "watcher",
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 100 },
  }).admin();
  await admin.connect();
  return {
    async membersJoined(group, members) {
      for (;;) {
        const described = await admin.describeGroups([group]).catch(() => undefined);
        const found = described?.groups[0];
        if (found?.state === STABLE && found.members.length === members) return;
        await sleep(10);
      }
    },
    close: () => admin.disconnect(),
  };
}
