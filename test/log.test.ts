import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ClchatError } from '../lib/errors.ts';
import { openLog, type Log } from '../lib/log.ts';
import { temporary } from './support/temporary.ts';

/** What is written to standard error meanwhile. */
async function captured(run: () => Promise<void>): Promise<string> {
  let text = '';
  process.stderr.write = (chunk: string | Uint8Array): boolean => {
    text += String(chunk);
    return true;
  };
  try {
    await run();
  } finally {
    // What it inherits is there again.
    Reflect.deleteProperty(process.stderr, 'write');
  }
  return text;
}

describe('the log', () => {
  const { newDirectory } = temporary();

  const written = async (use: (log: Log) => void): Promise<string[]> => {
    const file = join(await newDirectory(), 'log');
    const log = await openLog(file, true);
    use(log);
    await log.close();
    const mode = (await stat(file)).mode & 0o777;
    assert.equal(mode, 0o600);
    return (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  };

  it('has one line an event, with the time', async () => {
    const [line, ...rest] = await written((log) => log.info('it began'));
    assert.match(line ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z info it began$/);
    assert.deepEqual(rest, []);
  });

  it('says of refusals what they are, and of faults where they came from', async () => {
    const lines = await written((log) => {
      log.fault(new ClchatError('DENIED', 'not you'));
      log.fault(new ClchatError('INTERNAL', 'broken', { cause: new TypeError('of this') }));
      log.fault('just text');
    });
    assert.match(lines[0]!, / note DENIED not you$/);
    assert.match(lines[1]!, / fault INTERNAL broken: of this$/);
    assert.match(lines[2]!, /^ {4}at /);
    assert.match(lines.at(-1)!, / fault just text$/);
  });

  it('says nothing of aborts', async () => {
    const abort = new DOMException('stopped', 'AbortError');
    assert.deepEqual(await written((log) => log.fault(abort)), []);
  });

  it('lets nothing through that a terminal would act on, and no second line', async () => {
    const lines = await written((log) => {
      log.info('a\u001b[2Jb\nforged line');
      log.fault(new ClchatError('DENIED', 'c\u202ed\r\ne\u0007'));
    });
    assert.equal(lines.length, 2);
    assert.match(lines[0]!, /info ab forged line$/);
    assert.match(lines[1]!, /note DENIED cd e$/);
  });

  it('writes so many lines a second, and says how many it left out', async function () {
    this.timeout(6_000);
    const file = join(await newDirectory(), 'log');
    const log = await openLog(file, true);
    // Not over the turn of a second, or there are two lots.
    await new Promise((resolve) => setTimeout(resolve, 1_005 - (Date.now() % 1_000)));
    for (let n = 0; n < 500; n++) log.info(`line ${n}`);
    await new Promise((resolve) => setTimeout(resolve, 1_005 - (Date.now() % 1_000)));
    log.info('later');
    await log.close();
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    assert.equal(lines.length, 52);
    assert.match(lines[50]!, /info 450 lines left out$/);
    assert.match(lines[51]!, /info later$/);
  });

  it('goes on in a file that is there', async () => {
    const file = join(await newDirectory(), 'log');
    for (const text of ['one', 'two']) {
      const log = await openLog(file, false);
      log.info(text);
      await log.close();
    }
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    assert.deepEqual(
      lines.map((line) => line.slice(-3)),
      ['one', 'two'],
    );
  });

  it('is refused with a code where it cannot be written', async () => {
    const directory = await newDirectory();
    await assert.rejects(openLog(join(directory, 'no', 'log'), false), { code: 'NO_SUCH_FILE' });
    await assert.rejects(openLog(directory, false), { name: 'ClchatError' });
  });

  it('goes to standard error without a file, faults of the program only', async () => {
    const text = await captured(async () => {
      const log = await openLog(undefined, false);
      log.info('never mind');
      log.fault(new ClchatError('DENIED'));
      log.fault(new TypeError('broken'));
      await log.close();
    });
    assert.match(text, /fault broken\n/);
    assert.doesNotMatch(text, /never mind|DENIED/);
  });

  it('keeps quiet where it would spoil a screen', async () => {
    const text = await captured(async () => {
      const log = await openLog(undefined, true);
      log.info('x');
      log.fault(new TypeError('broken'));
      await log.close();
    });
    assert.equal(text, '');
  });
});
