/**
 * Commands under way. Those that overlap start as soon as no other kind is before them; any other
 * waits until all before it have finished, and holds up all after it. Outcomes come in the order in
 * which the commands were given.
 */
export interface Task<T> {
  readonly overlaps: boolean;
  /** Must not reject. */
  run(): Promise<T>;
}

export class Pipeline<T> {
  readonly #limit: number;
  #waiting = 0;
  /** When everything given so far has finished, when the last that does not overlap has. */
  #all: Promise<unknown> = Promise.resolve();
  #alone: Promise<unknown> = Promise.resolve();
  #told: Promise<unknown> = Promise.resolve();
  #free: (() => void)[] = [];

  /** @param limit number of commands beyond which it counts as full */
  constructor(limit = 256) {
    this.#limit = limit;
  }

  /** Whoever reads commands from outside reads no further while it is full. */
  get full(): boolean {
    return this.#waiting >= this.#limit;
  }

  get empty(): boolean {
    return this.#waiting === 0;
  }

  /** Resolves when there is room again. */
  room(): Promise<void> {
    if (!this.full) return Promise.resolve();
    return new Promise((resolve) => this.#free.push(resolve));
  }

  /** Resolves when every command given so far has finished and its outcome has been told. */
  async idle(): Promise<void> {
    await this.#told;
  }

  /** @param tell takes the outcome; the next is told when it has resolved */
  push(task: Task<T>, tell: (outcome: T) => void | Promise<void>): void {
    this.#waiting += 1;
    const start = task.overlaps ? this.#alone : this.#all;
    const outcome = start.then(() => task.run());
    const finished = outcome.catch(() => undefined);
    this.#all = Promise.all([this.#all, finished]);
    if (!task.overlaps) this.#alone = finished;
    this.#told = this.#told
      .then(async () => tell(await outcome))
      .catch(() => undefined)
      .then(() => this.#leave());
  }

  #leave(): void {
    this.#waiting -= 1;
    if (this.full) return;
    const free = this.#free;
    this.#free = [];
    for (const resolve of free) resolve();
  }
}
