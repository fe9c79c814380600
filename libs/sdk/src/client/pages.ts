/** One page of a list. */
export interface Page<T> {
  items: T[];
  /** Give it to get the next page; empty on the last one. */
  nextPageToken: string;
}

/** Walks through all pages; the next one is fetched when it is needed. */
export async function* eachItem<T>(
  fetchPage: (pageToken: string) => Promise<Page<T>>,
): AsyncGenerator<T, void, undefined> {
  let pageToken = "";
  do {
    const page = await fetchPage(pageToken);
    yield* page.items;
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}
