import { openDatabase } from "@heddle/store";
import { startReplica } from "./replica.ts";
import { APPROVAL, DOUBLE, PATIENT } from "./sources.ts";

// A replica as a process of its own, which can be killed and stopped: `node replica-process.ts <database url> <owner>`.
const [, , url = "", owner = ""] = process.argv;
const replica = await startReplica({
  database: openDatabase({ url, schema: "execution" }),
  owner,
  sources: [APPROVAL, DOUBLE, PATIENT],
  answer: (_, input) => ({ output: { n: (input as { n: number }).n * 2 } }),
});
process.stdout.write(`${replica.url}\n`);
