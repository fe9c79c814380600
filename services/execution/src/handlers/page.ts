import { DomainError } from "@heddle/errors";
import { decodePageToken, encodePageToken } from "@heddle/store";

const DEFAULT_PAGE_SIZE = 100;

export interface PageRequest {
  /** 0: as many as usual. */
  pageSize: number;
  pageToken: string;
}

export interface PageSource<Row> {
  /** All that a token must be used with again. */
  filter: object;
  /** Rows behind the position, in the order of the list; from the beginning when it is empty. */
  select(after: string, limit: number): Promise<Row[]>;
  positionOf(row: Row): string;
}

/** One page of a list that goes on behind the last row of the page before, whatever has come and gone meanwhile. @throws DomainError PAGE_TOKEN_INVALID */
export async function readPage<Row>(
  { pageSize, pageToken }: PageRequest,
  { filter, select, positionOf }: PageSource<Row>,
): Promise<{ rows: Row[]; nextPageToken: string }> {
  const after = pageToken === "" ? "" : decodePageToken<string>(pageToken, filter);
  const size = pageSize === 0 ? DEFAULT_PAGE_SIZE : pageSize;
  // One more than is shown tells whether there is another page.
  const found = await select(after, size + 1);
  const rows = found.slice(0, size);
  const last = rows.at(-1);
  const hasMore = found.length > size && last !== undefined;
  return { rows, nextPageToken: hasMore ? encodePageToken(positionOf(last), filter) : "" };
}

/** The position in a token is not one of this list. */
export function positionUnknown(): DomainError {
  const description = "is not a token of this method; start again without one";
  return new DomainError({
    kind: "invalid_argument",
    reason: "PAGE_TOKEN_INVALID",
    message: `page_token ${description}`,
    violations: [{ field: "page_token", description }],
  });
}
