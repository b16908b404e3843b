type Job = () => void;

/**
 * Slow work that strangers cause, so much at a time, and by turns: whoever asks for a lot waits for their own, and somebody
 * else only for one piece of work of each of the others.
 */
export class Turns {
  readonly #width: number;
  /** By whom it was asked for, whose turn it is first. */
  readonly #waiting = new Map<string, Job[]>();
  #running = 0;

  /** @param width how much of it may be done at the same time */
  constructor(width: number) {
    this.#width = width;
  }

  /** Does it when its turn has come; settles as it does. */
  run<T>(whom: string, work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const job = (): void => void this.#do(work).then(resolve, reject);
      if (this.#running < this.#width) job();
      else this.#queueOf(whom).push(job);
    });
  }

  async #do<T>(work: () => Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
      this.#next();
    }
  }

  #queueOf(whom: string): Job[] {
    const known = this.#waiting.get(whom);
    if (known !== undefined) return known;
    const queue: Job[] = [];
    this.#waiting.set(whom, queue);
    return queue;
  }

  #next(): void {
    const first = this.#waiting.entries().next();
    if (first.done === true) return;
    const [whom, queue] = first.value;
    this.#waiting.delete(whom);
    const job = queue.shift();
    if (queue.length > 0) this.#waiting.set(whom, queue);
    job?.();
  }
}
