export { SHARDS, shardOf } from "./shard-of.ts";
