/**
 * The entry of the helper process for calls. It ends by `process.exit` and no other way: the WebRTC
 * library does not survive another. It ends as well when the program that has started it is gone.
 */
import { ClchatError, codeOf, textOf } from '../../errors.ts';
import { systemClock, within } from '../../lifecycle.ts';
import { Engine } from './engine.ts';
import type { CallName, EngineCalls, FromEngine, ToEngine } from './messages.ts';

/** How long devices may take to be given back, in milliseconds. */
const STOP_MS = 2_000;

function tell(message: FromEngine): void {
  if (process.connected) process.send?.(message);
}

const engine = new Engine({
  clock: systemClock,
  emit: tell,
  onFault: complain,
});

/** The program that has started it writes what comes here into its log. */
function complain(error: unknown): void {
  process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
}

async function answer<C extends CallName>(
  call: C,
  id: number,
  args: EngineCalls[C]['args'],
): Promise<void> {
  try {
    tell({ id, result: await engine.call(call, args) });
  } catch (error) {
    if (!(error instanceof ClchatError)) complain(error);
    const code = codeOf(error);
    tell({ id, code, text: error instanceof ClchatError ? error.message : textOf(code) });
  }
}

let isEnding = false;

function end(): void {
  if (isEnding) return;
  isEnding = true;
  within(STOP_MS, engine.stop(), 'giving devices back')
    .catch(() => undefined)
    .finally(() => process.exit(0));
}

process.on('message', (message: ToEngine) => {
  if ('call' in message) return void answer(message.call, message.id, message.args as never);
  try {
    engine.order(message);
  } catch (error) {
    complain(error);
  }
});
process.on('disconnect', end);
// Ctrl-C in a terminal goes to all processes there; when this one ends is the program's word.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', end);

tell({ ready: true });
