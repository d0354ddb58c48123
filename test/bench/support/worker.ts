/** The other end of `Worker`: serves methods to the process that started this one. */

type Method = (argument: never) => Promise<unknown>;

/** @param stop called before the process ends, which it does with its parent */
export function serve(
  methods: Readonly<Record<string, Method>>,
  stop: () => Promise<void> = async () => undefined,
): void {
  process.on('message', ([id, name, argument]: [number, string, never]) => {
    const method = methods[name];
    const answer = method === undefined ? Promise.reject(new Error(name)) : method(argument);
    // Whoever has asked may be gone by now.
    const send = (reply: unknown): unknown => process.send?.(reply, () => undefined);
    answer.then(
      (value) => send([id, undefined, value]),
      (error: unknown) => send([id, describe(error), undefined]),
    );
  });
  process.once('disconnect', () => {
    stop()
      .catch((error: unknown) => console.error(error))
      // Exit handlers run, so that a profile is written.
      .finally(() => process.exit());
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
