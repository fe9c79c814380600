import { readFile } from "node:fs/promises";
import { type LocalService, startLocalService } from "@heddle/example-starter";

interface Customer {
  id: string;
  name: string;
  tier: "standard" | "premium" | "vip";
  order: { id: string; item: string; status: string };
}

/** `GET /customers?id=C-1001`. Like every such service it has a bad moment now and then: some first requests get a 503. */
export async function startCrm(): Promise<LocalService> {
  const text = await readFile(new URL("data/customers.json", import.meta.url), "utf8");
  const customers = new Map((JSON.parse(text) as Customer[]).map((customer) => [customer.id, customer]));
  const asked = new Set<string>();

  return startLocalService((_request, url) => {
    const id = url.searchParams.get("id") ?? "";
    if (url.pathname !== "/customers") return { status: 404, body: { error: "there is only /customers" } };
    const isFirst = !asked.has(id);
    asked.add(id);
    if (isFirst && id.endsWith("7")) return { status: 503, body: { error: "busy" } };
    const customer = customers.get(id);
    return customer ? { status: 200, body: customer } : { status: 404, body: { error: `no customer ${id}` } };
  });
}
