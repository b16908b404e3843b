/**
 * Random choices that one number decides: the same seed gives the same choices, on every runtime. (sfc32: 128 bits of
 * state, no multiplication, passes the usual batteries of tests.)
 */
export class Random {
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed a whole number; its lower 32 bits count */
  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#a = this.seed;
    this.#b = 0x9e3779b9;
    this.#c = 0x243f6a88;
    for (let round = 0; round < 15; round++) this.#next();
  }

  /** 0 ≤ n < `below`. */
  int(below: number): number {
    return below <= 1 ? 0 : this.#next() % below;
  }

  /** `from` ≤ n ≤ `to`. */
  between(from: number, to: number): number {
    return from + this.int(to - from + 1);
  }

  /** True once in so many times. */
  oneIn(times: number): boolean {
    return this.int(times) === 0;
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError("nothing to pick from");
    return list[this.int(list.length)] as T;
  }

  /** One of several ways to go on, each as likely as its number says. */
  choose<T>(ways: readonly (readonly [weight: number, way: () => T])[]): T {
    const total = ways.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.int(total);
    for (const [weight, way] of ways) {
      if (left < weight) return way();
      left -= weight;
    }
    throw new RangeError("nothing to choose from");
  }

  /** `least` to `most` of them. */
  several<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: this.between(least, most) }, make);
  }

  /** A seed for choices of their own, which do not depend on how many are made here later. */
  fork(): number {
    return this.#next();
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }
}
