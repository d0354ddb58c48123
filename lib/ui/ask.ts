/** Questions to a person, over whatever can show a line and read one. */
import type { Ask } from '../app/types.ts';
import { ClchatError } from '../errors.ts';
import { clean, fold } from '../text.ts';

export interface Answering {
  /** @throws ClchatError INTERRUPTED when the person breaks off, CLOSED at the end of the input */
  read(question: string, hidden: boolean): Promise<string>;
  print(text: string): void;
}

/** The input has ended where something was asked. */
export function endedAt(question: string): ClchatError {
  const asked = clean(question).trim().replace(/:$/, '');
  return new ClchatError('CLOSED', `The input ended where "${asked}" was asked.`);
}

/** What an answer in words can mean: the beginning of one option, up to what is in brackets. */
function optionNamed(answer: string, options: readonly string[]): number {
  const named = options.flatMap((option, index) =>
    fold(option) === fold(answer) || fold(option).startsWith(`${fold(answer)} (`) ? [index] : [],
  );
  return named.length === 1 ? named[0]! : -1;
}

/** Questions come one at a time, in the order in which they were put. */
export function askOver(person: Answering): Ask {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(question: () => Promise<T>): Promise<T> => {
    const turn = last.then(question, question);
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    line: (question, fallback) =>
      inTurn(async () => {
        const shown = clean(question) + (fallback === undefined ? '' : ` [${clean(fallback)}]`);
        const answer = (await person.read(`${shown}: `, false)).trim();
        return answer === '' ? (fallback ?? '') : answer;
      }),
    secret: (question) => inTurn(() => person.read(`${clean(question)}: `, true)),
    confirm: (question, fallback) =>
      inTurn(async () => {
        for (;;) {
          const answer = await person.read(
            `${clean(question)} [${fallback ? 'Y/n' : 'y/N'}] `,
            false,
          );
          const word = answer.trim().toLowerCase();
          if (word === '') return fallback;
          if (word === 'y' || word === 'yes') return true;
          if (word === 'n' || word === 'no') return false;
          person.print('Please answer "yes" or "no".');
        }
      }),
    choose: (question, options) =>
      inTurn(async () => {
        person.print(options.map((option, index) => `  ${index + 1}  ${clean(option)}`).join('\n'));
        for (;;) {
          const answer = (
            await person.read(`${clean(question)} [1-${options.length}] `, false)
          ).trim();
          const number = /^\d{1,6}$/.test(answer) ? Number(answer) : 0;
          if (number >= 1 && number <= options.length) return number - 1;
          const named = answer === '' ? -1 : optionNamed(answer, options);
          if (named >= 0) return named;
          person.print(`Please answer with a number from 1 to ${options.length}, or with a name.`);
        }
      }),
  };
}
