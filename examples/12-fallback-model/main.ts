import { runExample } from "@heddle/example-starter";

const QUESTIONS = ["How do I clean the filter?", "Why has the price changed?"];

await runExample(async ({ client, output, publish, signal }) => {
  await publish(new URL("draft-reply.yaml", import.meta.url));
  const replies = [];
  for (const question of QUESTIONS) {
    const { executionId } = await client.start({ workflowId: "draft-reply", input: { question } });
    const reply = (await client.result(executionId, { signal })) as { reply: string; because: string | null };
    output.print(`${question}  ${reply.reply}${reply.because === null ? "" : ` (${reply.because})`}`);
    replies.push(reply);
  }
  output.result(replies);
});
