import { Owner } from "./owner.ts";

/**
 * Owners seen lately, bounded in number and in the size of what was read for them.
 *
 * Two generations instead of a list in the order of use: a hit costs one look-up and writes nothing. Whoever was
 * not asked for during a whole generation is forgotten. Owners with open changes are held by `touched` as well,
 * because what they know is not on disk yet.
 */
export class OwnerCache {
  readonly #touched = new Map<string, Owner>();
  #young = new Map<string, Owner>();
  #old = new Map<string, Owner>();
  #weight = 0;
  readonly #ownersPerGeneration: number;
  readonly #weightPerGeneration: number;

  /** At most so many owners, and about so many characters of JSON. */
  constructor(owners: number, weight: number) {
    this.#ownersPerGeneration = Math.max(1, Math.ceil(owners / 2));
    this.#weightPerGeneration = weight / 2;
  }

  get touched(): Iterable<Owner> {
    return this.#touched.values();
  }

  /** One with open changes, if that is what it is. */
  touchedOwner(name: string): Owner | undefined {
    return this.#touched.get(name);
  }

  owner(name: string): Owner {
    const young = this.#young.get(name);
    if (young !== undefined) return young;
    const owner = this.#old.get(name) ?? this.#touched.get(name) ?? new Owner(name);
    if (this.#young.size >= this.#ownersPerGeneration) this.#rotate();
    this.#young.set(name, owner);
    return owner;
  }

  /** So many characters of JSON were taken in. */
  weigh(characters: number): void {
    this.#weight += characters;
    if (this.#weight > this.#weightPerGeneration) this.#rotate();
  }

  touch(owner: Owner): void {
    this.#touched.set(owner.name, owner);
  }
  untouch(owner: Owner): void {
    this.#touched.delete(owner.name);
  }

  #rotate(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#weight = 0;
  }
}
