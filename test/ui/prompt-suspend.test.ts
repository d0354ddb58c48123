/** How the prompt gives the terminal to the shell: without one, so that nothing stops this process. */
import assert from 'node:assert/strict';
import { eventually } from '../support/channels.ts';
import { PaperTerminal } from '../support/paper-terminal.ts';

const CTRL_Z = '\u001a';
const GIVEN_BACK = '\u001b[?2004l';

describe('the prompt at Ctrl-Z', () => {
  const kill = process.kill.bind(process);
  let stops: unknown[];
  let screen: PaperTerminal;
  /** What whoever draws beside the prompt was told. */
  let told: string[];
  let erased: () => void;

  beforeEach(() => {
    stops = [];
    told = [];
    process.kill = (_id, signal) => {
      stops.push(signal);
      return true;
    };
    screen = new PaperTerminal();
    screen.prompt.terminal.follow({
      onReport: () => undefined,
      onResize: () => undefined,
      onSuspend: () => {
        told.push('suspend');
        return new Promise((resolve) => (erased = resolve));
      },
      onResume: () => void told.push('resume'),
    });
  });
  afterEach(async () => {
    await screen.close();
    process.kill = kill;
  });

  it('waits until all is off the screen, stops once, and tells that it is back', async () => {
    screen.type(CTRL_Z);
    await eventually('the word of it', () => told.length > 0);
    screen.type(`${CTRL_Z}half`);
    await screen.until('half a line', () => screen.line() === '> half');
    assert.deepEqual(stops, []);
    assert.equal(screen.written.includes(GIVEN_BACK), false);
    erased();
    await eventually('the stop', () => stops.length > 0);
    assert.ok(screen.written.endsWith(GIVEN_BACK));
    await eventually('being back', () => told.length > 1);
    await screen.until('the line again', () => screen.line() === '> half');
    assert.deepEqual([told, stops], [['suspend', 'resume'], ['SIGTSTP']]);
    screen.type(CTRL_Z);
    await eventually('another time', () => told.length > 2);
  });

  it('stops nothing where the program ends meanwhile', async () => {
    screen.type(CTRL_Z);
    await eventually('the word of it', () => told.length > 0);
    screen.prompt.close();
    erased();
    await screen.settled();
    assert.deepEqual(stops, []);
  });

  it('stops at once where nothing is drawn beside it', async () => {
    screen.prompt.terminal.follow(undefined);
    screen.type(CTRL_Z);
    await eventually('the stop', () => stops.length > 0);
  });
});
