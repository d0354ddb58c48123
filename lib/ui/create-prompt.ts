/** Which prompt a terminal, or what is in its place, can have. */
import { InputHistory } from './history-file.ts';
import { PlainPrompt } from './plain-prompt.ts';
import { TerminalPrompt, type Prompt, type PromptOptions } from './prompt.ts';

export interface PromptSetup extends Omit<PromptOptions, 'history'> {
  /** `--plain` was given. */
  readonly plain: boolean;
  /** Where the lines typed are kept; absent: nowhere. */
  readonly historyPath?: string;
}

function isTerminal(stream: object): boolean {
  return (stream as { isTTY?: unknown }).isTTY === true;
}

/** Takes the terminal over at once, so that questions can be put before the App runs. */
export function createPrompt(setup: PromptSetup): Prompt {
  const { input, output, environment } = setup;
  const movesCursor = isTerminal(input) && isTerminal(output) && environment['TERM'] !== 'dumb';
  if (setup.plain || !movesCursor) return new PlainPrompt(setup);
  const prompt = new TerminalPrompt({ ...setup, history: new InputHistory(setup.historyPath) });
  // However the program ends, the terminal is given back.
  process.once('exit', () => prompt.close());
  return prompt;
}

/** Whether colours are welcome: see no-color.org. */
export function wantsColours(environment: PromptSetup['environment']): boolean {
  return (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
}
