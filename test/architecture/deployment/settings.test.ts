import { writeFileSync } from "node:fs";
import { settingsTable } from "@heddle/config";
import { expect, it } from "vitest";
import { listServices, readText } from "./services.ts";

const PAGE = "docs/processes.md";
const services = listServices();

/** The page with the table of each service as its settings are. */
function rewritten(page: string): string {
  return services.reduce(
    (text, { name, config }) =>
      text.replace(
        new RegExp(`(<!-- settings of ${name} -->\\n)[\\s\\S]*?(<!-- end -->)`),
        (_, begin: string, end: string) => `${begin}${settingsTable(config.settings)}${end}`,
      ),
    page,
  );
}

it("docs/processes.md lists every setting of every service as it is", () => {
  const page = readText(PAGE);
  for (const { name } of services) expect(page).toContain(`<!-- settings of ${name} -->`);
  if (process.env["REWRITE"] === "1") writeFileSync(PAGE, rewritten(page));
  else
    expect(page, `write it anew: REWRITE=1 npx vitest run --project unit ${import.meta.filename}`).toBe(
      rewritten(page),
    );
});
