import { createRequire } from "node:module";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type * as KafkaJs from "kafkajs";
import { groupByPartition } from "./group-by-partition.ts";
import { decodeRecord } from "./record-decoder.ts";
import { encodeRecord } from "./record-encoder.ts";

/*
 * The one place that loads kafkajs 2.2.4. It mends what costs too much there, which nobody maintains any more; its
 * behaviour stays. The version is pinned, and tests compare what is replaced with what it replaces.
 */

const REQUEST_QUEUE = "kafkajs/src/network/requestQueue";
const PENDING_CHECK_MS = 10;
const ZSTD_OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  throttledUntil: number;
  pending: unknown[];
  checkPendingRequests(): void;
}

const require = createRequire(import.meta.url);

// Before kafkajs loads what uses them. Where somebody else has loaded it already it works too, and costs more.
replaceModule("kafkajs/src/protocol/recordBatch/record/v0", encodeRecord);
replaceModule("kafkajs/src/protocol/recordBatch/record/v0/decoder", decodeRecord);
replaceModule("kafkajs/src/producer/groupMessagesPerPartition", groupByPartition);
calmRequestTimers();

export const kafkajs = require("kafkajs") as typeof KafkaJs;

// It declares zstd and brings no codec. More than the fastest level costs more than it saves.
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
  compress: async ({ buffer }: { buffer: Buffer }) => zstdCompressSync(buffer, ZSTD_OPTIONS),
  decompress: async (buffer: Buffer) => zstdDecompressSync(buffer),
});

function replaceModule(name: string, replacement: unknown): void {
  require(name);
  const loaded = require.cache[require.resolve(name)];
  if (loaded !== undefined) loaded.exports = replacement;
}

/**
 * It keeps a timer of 1 ms going per connection, also when there is nothing to wait for, and gives it negative delays,
 * which Node 24 warns of. An idle consumer and producer took 5.8 % of a core with it, and take 1.3 % without.
 */
function calmRequestTimers(): void {
  const { prototype } = require(REQUEST_QUEUE) as { prototype: object };
  Object.assign(prototype, {
    scheduleCheckPendingRequests(this: RequestQueue): void {
      if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
      const delayMs = Math.max(this.throttledUntil - Date.now(), PENDING_CHECK_MS);
      this.throttleCheckTimeoutId = setTimeout(() => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      }, delayMs);
    },
  });
}
