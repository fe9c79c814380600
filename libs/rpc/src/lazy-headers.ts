import type { IncomingHttpHeaders } from "node:http";

type Entries = ReturnType<Headers["entries"]>;

/** Headers as a class with methods: Node's types declare them as fields, which TypeScript lets no subclass override. */
interface HeadersBase {
  append(name: string, value: string): void;
  delete(name: string): void;
  entries(): Entries;
  forEach(visit: (value: string, name: string, self: Headers) => void, thisArg?: unknown): void;
  get(name: string): string | null;
  getSetCookie(): string[];
  has(name: string): boolean;
  keys(): ReturnType<Headers["keys"]>;
  set(name: string, value: string): void;
  values(): ReturnType<Headers["values"]>;
  [Symbol.iterator](): Entries;
}
const Base = Headers as unknown as new () => HeadersBase;

/**
 * Web headers over those that Node has read already. Asking for one of them, which is all that most calls do, costs no
 * copy; everything else copies them first, once.
 */
export class LazyHeaders extends Base {
  #node: IncomingHttpHeaders | undefined;

  constructor(node: IncomingHttpHeaders) {
    super();
    this.#node = node;
  }

  override get(name: string): string | null {
    if (this.#node === undefined) return super.get(name);
    const value = this.#node[name.toLowerCase()];
    // Names of pseudo-headers are no valid names: what `super` does with them is right.
    if (value === undefined || name.startsWith(":")) return super.get(name);
    return typeof value === "string" ? value : value.join(", ");
  }

  override has(name: string): boolean {
    return this.get(name) !== null;
  }

  override append(name: string, value: string): void {
    this.#copy();
    super.append(name, value);
  }

  override set(name: string, value: string): void {
    this.#copy();
    super.set(name, value);
  }

  override delete(name: string): void {
    this.#copy();
    super.delete(name);
  }

  override getSetCookie(): string[] {
    this.#copy();
    return super.getSetCookie();
  }

  override forEach(visit: (value: string, name: string, self: Headers) => void, thisArg?: unknown): void {
    this.#copy();
    super.forEach(visit, thisArg);
  }

  override keys(): ReturnType<Headers["keys"]> {
    this.#copy();
    return super.keys();
  }

  override values(): ReturnType<Headers["values"]> {
    this.#copy();
    return super.values();
  }

  override entries(): Entries {
    this.#copy();
    return super.entries();
  }

  // `new Headers(these)` and `fetch` iterate.
  override [Symbol.iterator](): Entries {
    return this.entries();
  }

  #copy(): void {
    const node = this.#node;
    if (node === undefined) return;
    this.#node = undefined;
    for (const [name, value] of Object.entries(node)) {
      if (name.startsWith(":") || value === undefined) continue;
      for (const each of typeof value === "string" ? [value] : value) super.append(name, each);
    }
  }
}
