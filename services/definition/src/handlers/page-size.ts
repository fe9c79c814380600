const DEFAULT_PAGE_SIZE = 100;

/** 0 means the default; the upper bound is checked against the proto's rule before. */
export function pageSizeOf(request: { pageSize: number }): number {
  return request.pageSize === 0 ? DEFAULT_PAGE_SIZE : request.pageSize;
}
