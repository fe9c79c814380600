import { runExample, startLocalService } from "@heddle/example-starter";

// An agency that has one car left.
const booked = new Map<string, string>();
let cars = 1;
const journal: string[] = [];
const agency = await startLocalService((request, url) => {
  const [, kind = "", id] = url.pathname.split("/");
  journal.push(`${request.method} ${url.pathname}`);
  if (request.method === "DELETE") return { status: booked.delete(`${kind}/${id}`) ? 200 : 404, body: {} };
  if (kind === "cars" && cars-- <= 0) return { status: 409, body: { error: "no car is left" } };
  const number = String(100 + booked.size);
  booked.set(`${kind}/${number}`, number);
  return { status: 201, body: { id: number } };
});

try {
  await runExample(
    async ({ client, output, publish, signal }) => {
      await publish(new URL("book-trip.yaml", import.meta.url));
      const ended = [];
      for (const traveller of ["ada", "bob"]) {
        journal.length = 0;
        const { executionId } = await client.start({ workflowId: "book-trip", input: { url: agency.url, traveller } });
        const { status, failure } = await client.wait(executionId, { signal });
        output.print(`${traveller}: ${status}${failure ? ` (${failure.message})` : ""}`);
        for (const line of journal) output.print(`  ${line}`);
        ended.push({ status, calls: [...journal] });
      }
      output.print(`still booked: ${[...booked.keys()].join(", ")}`);
      output.result({ ended, booked: [...booked.keys()] });
    },
    { env: { HEDDLE_HTTP_ALLOW: agency.allow } },
  );
} finally {
  await agency.close();
}
