/** What is to be done later about each of several things, if nothing else is decided until then. */

export class Timers<K> {
  readonly #timers = new Map<K, NodeJS.Timeout>();

  /** In place of what was to be done about it. It keeps no process alive. */
  set(key: K, milliseconds: number, act: () => void): void {
    this.clear(key);
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      act();
    }, milliseconds);
    timer.unref();
    this.#timers.set(key, timer);
  }

  clear(key: K): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }
}
