/** In milliseconds: how long something may take before a test gives up on it. Waiting itself is for events. */
export const PATIENCE = 30_000;

interface Waiting<T> {
  readonly matches: (happening: T) => boolean;
  readonly resolve: (happening: T) => void;
  readonly reject: (error: Error) => void;
}

/** What has happened, in order, and whoever waits for something of it. */
export class Happenings<T> {
  /** Everything, also what somebody has waited for. */
  readonly all: T[] = [];
  readonly #untaken: T[] = [];
  readonly #waiting = new Set<Waiting<T>>();
  #ended: Error | undefined = undefined;

  add(happening: T): void {
    this.all.push(happening);
    const waiting = [...this.#waiting].find(({ matches }) => matches(happening));
    if (waiting === undefined) this.#untaken.push(happening);
    else waiting.resolve(happening);
  }

  /** Nothing further will happen, for this reason. */
  end(reason: Error): void {
    this.#ended = reason;
    for (const { reject } of [...this.#waiting]) reject(reason);
  }

  /**
   * The first that matches and that nobody has taken, from the past or the future; it is taken thereby. Rejects when it
   * can no longer happen or has not happened for `PATIENCE`, with what has happened instead.
   */
  async next(what: string, matches: (happening: T) => boolean): Promise<T> {
    const at = this.#untaken.findIndex(matches);
    const [past] = at < 0 ? [] : this.#untaken.splice(at, 1);
    if (past !== undefined) return past;
    if (this.#ended !== undefined) throw this.#missed(what, this.#ended.message);
    return this.#await(what, matches);
  }

  async #await(what: string, matches: (happening: T) => boolean): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiting: Waiting<T> = { matches, resolve, reject };
    const timer = setTimeout(() => reject(new Error(`not within ${PATIENCE} ms`)), PATIENCE);
    this.#waiting.add(waiting);
    try {
      return await promise;
    } catch (error) {
      throw this.#missed(what, error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(waiting);
    }
  }

  #missed(what: string, why: string): Error {
    const instead = this.all.slice(-20).map((happening) => `  ${textOf(happening)}`);
    return new Error(`${what}: ${why}. What happened:\n${instead.join("\n") || "  nothing"}`);
  }
}

/** An element says itself what it is; written as JSON it would never end. */
const textOf = (happening: unknown): string => {
  if (typeof happening === "string") return happening;
  const itself = String(happening);
  return itself.startsWith("[object ") ? JSON.stringify(happening) : itself;
};
