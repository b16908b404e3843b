/**
 * A bounded cache of what is read far more often than it changes. Two generations: a full one becomes the previous one,
 * and what has not been asked for since is forgotten with it. A hit in the current generation writes nothing.
 */
export class TwoGenerations<K, V> {
  readonly #size: number;
  readonly #keep: (key: K) => K;
  #current = new Map<K, V>();
  #previous = new Map<K, V>();

  /**
   * Holds between `size` and twice `size` entries, once it is full.
   * @param keep makes of a key one that may be kept: that pins no larger string.
   */
  constructor(size: number, keep: (key: K) => K) {
    this.#size = size;
    this.#keep = keep;
  }

  get(key: K): V | undefined {
    return this.#current.get(key) ?? this.#promote(key);
  }

  set(key: K, value: V): void {
    if (this.#current.size >= this.#size) {
      this.#previous = this.#current;
      this.#current = new Map();
    }
    this.#current.set(this.#keep(key), value);
  }

  /** How many entries are held, those held twice counted twice. */
  get entries(): number {
    return this.#current.size + this.#previous.size;
  }

  #promote(key: K): V | undefined {
    const value = this.#previous.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }
}
