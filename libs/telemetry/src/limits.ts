/** Label combinations that one metric keeps; a label filled with ids would otherwise eat the memory of the process. */
export const MAX_SERIES_PER_METRIC = 2_000;
