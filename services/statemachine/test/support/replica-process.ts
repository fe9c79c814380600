import { openDatabase } from "@heddle/store";
import { startReplica } from "./replica.ts";
import { ORDER, SOON } from "./sources.ts";

// A replica as a process of its own, which can be killed: `node replica-process.ts <database url> <owner>`.
const [, , url = "", owner = ""] = process.argv;
const replica = await startReplica(openDatabase({ url, schema: "statemachine" }), owner, [ORDER, SOON]);
process.stdout.write(`${replica.url}\n`);
