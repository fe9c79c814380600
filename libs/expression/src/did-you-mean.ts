/** Longer names are not compared: the work grows with the product of the lengths. */
const MAX_COMPARED_LENGTH = 64;
const MAX_COMPARED_NAMES = 10_000;

/** `did you mean "total"?` when one of `known` is close enough to `name` to be meant. */
export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  const closest = findClosest(name, known);
  return closest === undefined ? undefined : `did you mean "${closest}"?`;
}

/** The name that fewest edits away is, if those are at most a third of its length. Ties go to the first. */
export function findClosest(name: string, known: Iterable<string>): string | undefined {
  if (name.length > MAX_COMPARED_LENGTH) return undefined;
  let closest: string | undefined;
  let best = Math.max(1, Math.floor(name.length / 3)) + 1;
  let compared = 0;
  for (const candidate of known) {
    compared += 1;
    if (compared > MAX_COMPARED_NAMES) break;
    if (candidate.length > MAX_COMPARED_LENGTH || Math.abs(candidate.length - name.length) >= best) continue;
    const distance = candidate.toLowerCase() === name.toLowerCase() ? 0.5 : editDistance(name, candidate);
    // A name of which nothing is left was not meant: `x` is no slip for `y`.
    if (distance < best && distance < Math.max(name.length, candidate.length)) {
      best = distance;
      closest = candidate;
    }
  }
  return closest === name ? undefined : closest;
}

/** Insertions, deletions, replacements and swaps of neighbours. */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const cost = left[i - 1] === right[j - 1] ? 0 : 1;
      let distance = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
        distance = Math.min(distance, beforeLast[j - 2]! + 1);
      }
      row.push(distance);
    }
    beforeLast = last;
    last = row;
  }
  return last[right.length]!;
}
