import { lookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { TaskError } from "@heddle/sdk";
import { isPublicAddress } from "./address-guard.ts";
import type { AllowList } from "./allow-list.ts";

export interface ResolvedAddress {
  address: string;
  family: number;
}

type LookupDone = Parameters<LookupFunction>[2];

/** All addresses of a name. The system's resolver, or a test's. */
export type ResolveName = (hostname: string) => Promise<ResolvedAddress[]>;

const resolveBySystem: ResolveName = (hostname) => lookup(hostname, { all: true, order: "verbatim" });

export interface DestinationGuard {
  /**
   * Refuses a URL that leads where it must not. Names are resolved and checked by `lookup` when the connection is made.
   * @throws TaskError `url_forbidden`, not retryable
   */
  checkUrl(url: URL): void;
  /** For `http.request`: resolves, checks every address, and hands over exactly those, so that no second answer of the name server counts. */
  lookup(url: URL): LookupFunction;
}

/** Hops go to public addresses, and to what the operator allows; nowhere else. */
export function createDestinationGuard(allow: AllowList, resolve: ResolveName = resolveBySystem): DestinationGuard {
  function checkAddress(address: string, url: URL): void {
    if (isPublicAddress(address) || allow.hasAddress(address, portOf(url))) return;
    const shown = address === hostOf(url) ? address : `${hostOf(url)}, which is ${address},`;
    throw forbidden(url, `${shown} is not a public address`);
  }

  async function resolveChecked(hostname: string, url: URL): Promise<[ResolvedAddress, ...ResolvedAddress[]]> {
    const [first, ...others] = await resolve(hostname);
    if (first === undefined) throw new TaskError("network_error", `${hostname} has no address`);
    // One bad address refuses the name: a connection may be tried with any of them.
    if (!allow.hasName(hostname, portOf(url))) for (const { address } of [first, ...others]) checkAddress(address, url);
    return [first, ...others];
  }

  /** Node asks by callback. */
  async function answer(url: URL, hostname: string, all: boolean, done: LookupDone): Promise<void> {
    let addresses;
    try {
      addresses = await resolveChecked(hostname, url);
    } catch (error) {
      done(error as Error, "");
      return;
    }
    if (all) done(null, addresses);
    else done(null, addresses[0].address, addresses[0].family);
  }

  return {
    checkUrl(url) {
      if (url.protocol !== "http:" && url.protocol !== "https:") {
        throw forbidden(url, `only http and https are fetched, not ${url.protocol}`);
      }
      const host = hostOf(url);
      if (isIP(host) !== 0) checkAddress(host, url);
    },
    lookup: (url) => (hostname, options, done) => void answer(url, hostname, options.all === true, done),
  };
}

/** Without the brackets of an IPv6 address, and without a trailing dot. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}

function portOf(url: URL): number {
  return url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
}

function forbidden(url: URL, why: string): TaskError {
  return new TaskError(
    "url_forbidden",
    `${url.origin === "null" ? url.protocol : url.origin} is not fetched: ${why}. An operator can allow it with HEDDLE_HTTP_ALLOW`,
    { retryable: false },
  );
}
