/**
 * The smallest list that still fails, found by leaving out ever smaller parts (delta debugging). `fails` is asked at most
 * `tries` times: a failure that is slow to reproduce is made smaller, not smallest.
 */
export const minimise = async <T>(
  list: readonly T[],
  fails: (list: readonly T[]) => boolean | Promise<boolean>,
  tries = 2_000,
): Promise<readonly T[]> => {
  let smallest = list;
  let left = tries;
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < smallest.length && left > 0; ) {
      const without = [...smallest.slice(0, at), ...smallest.slice(at + size)];
      left--;
      if (await fails(without)) smallest = without;
      else at += size;
    }
  }
  return smallest;
};
