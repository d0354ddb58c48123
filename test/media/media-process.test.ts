import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEntry, type ChildEntry } from '../../lib/child-entry.ts';
import { hasCode } from '../../lib/errors.ts';
import { sleep, until } from '../../lib/lifecycle.ts';
import { MediaProcess, type MediaProcessOptions } from '../../lib/media/media-process.ts';
import { NO_WAYS } from '../support/media-sides.ts';
import { temporary } from '../support/temporary.ts';

/** How long anything may take on a busy machine, in milliseconds. */
const PATIENCE_MS = 30_000;

/** It is killed after three seconds. */
const LONGEST_STOP_MS = 6_000;

const isAlive = (pid: number | undefined): boolean => {
  try {
    process.kill(pid!, 0);
    return true;
  } catch {
    return false;
  }
};

describe('the helper process for calls', function () {
  this.timeout(60_000);
  const started: MediaProcess[] = [];
  let gone = 0;
  const notes: string[] = [];
  const { newDirectory } = temporary();

  beforeEach(() => {
    gone = 0;
    notes.length = 0;
  });
  afterEach(async () => {
    for (const media of started.splice(0)) await media.stop();
  });

  const start = async (options: Partial<MediaProcessOptions> = {}): Promise<MediaProcess> => {
    const media = await MediaProcess.start({
      onEvent: () => undefined,
      onGone: () => void gone++,
      onNote: (line) => void notes.push(line),
      ...options,
    });
    started.push(media);
    return media;
  };

  /** Another program that is begun in its place. */
  const program = async (text: string): Promise<ChildEntry> => {
    const path = join(await newDirectory(), 'child.mjs');
    await writeFile(path, text);
    return { path, execArgv: [] };
  };
  const READY = 'process.send({ ready: true });';
  const STUBBORN = 'setInterval(() => undefined, 1_000);';
  const WAITING = `process.on('disconnect', () => process.exit(0)); ${STUBBORN}`;

  it('begins, answers, and ends when it is told to', async () => {
    const media = await start();
    assert.deepEqual(await media.call('stats', {}), { peers: {} });
    await media.call('source', { kind: 'camera', spec: 'test' });
    await media.call('source', { kind: 'microphone', spec: 'tone' });
    const begun = performance.now();
    await Promise.all([media.stop(), media.stop()]);
    assert(performance.now() - begun < LONGEST_STOP_MS);
    assert.deepEqual([isAlive(media.pid), media.isGone, gone, notes], [false, true, 0, []]);
    await media.stop();
    await assert.rejects(media.call('stats', {}), { code: 'CLOSED' });
    media.order({ order: 'close', peer: 'bob' });
  });

  it('ends in the middle of connecting as well', async () => {
    const media = await start();
    for (let at = 0; at < 10; at++) {
      const peer = `bob${at}`;
      media.order({ order: 'open', peer, attempt: 1, makesOffers: true, ways: NO_WAYS });
      const asked = media.call('offer', { peer, attempt: 1, restart: false });
      asked.catch((error: unknown) => assert(hasCode(error, 'CLOSED')));
    }
    const begun = performance.now();
    await media.stop();
    assert(performance.now() - begun < LONGEST_STOP_MS);
    assert.equal(isAlive(media.pid), false);
  });

  it('is told of once when it is killed, and what was asked of it is refused', async () => {
    const media = await start();
    process.kill(media.pid!, 'SIGSTOP');
    const asked = Array.from({ length: 3 }, () =>
      assert.rejects(media.call('stats', {}), { code: 'CLOSED' }),
    );
    process.kill(media.pid!, 'SIGKILL');
    await Promise.all(asked);
    assert(await until(PATIENCE_MS, () => gone > 0));
    assert.equal(media.isGone, true);
    await assert.rejects(media.call('stats', {}), { code: 'CLOSED' });
    media.order({ order: 'close', peer: 'bob' });
    await media.stop();
    assert.equal(gone, 1);
  });

  it('does not end by what is typed into the terminal of the program', async () => {
    const media = await start();
    process.kill(media.pid!, 'SIGINT');
    await sleep(100);
    assert.deepEqual(await media.call('stats', {}), { peers: {} });
  });

  it('ends when the system has it end', async () => {
    const media = await start();
    await media.call('source', { kind: 'camera', spec: 'test' });
    process.kill(media.pid!, 'SIGTERM');
    assert(await until(PATIENCE_MS, () => gone === 1));
  });

  it('ends when the program that has begun it is gone', async () => {
    const path = fileURLToPath(new URL('../support/media-parent.ts', import.meta.url));
    const { execArgv } = childEntry('media/engine/engine-child');
    const parent = spawn(process.execPath, [...execArgv, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(said.toString());
    assert(isAlive(pid));
    parent.kill('SIGKILL');
    assert(await until(PATIENCE_MS, () => !isAlive(pid)));
  });

  it('writes down what goes wrong in it, and goes on', async () => {
    const media = await start();
    media.order({
      order: 'open',
      peer: 'bob',
      attempt: 1,
      makesOffers: true,
      ways: { servers: [], mapped: [{ port: 99_999, external: { ip: '192.0.2.1', port: 1 } }] },
    });
    await assert.rejects(media.call('offer', { peer: 'bob', attempt: 1, restart: false }), {
      code: 'NO_MEDIA',
    });
    assert(await until(PATIENCE_MS, () => notes.length > 0));
    assert.match(notes.join('\n'), /16-bit unsigned integer/);
    assert.equal((await media.call('stats', {})).peers['bob']?.state, 'connecting');
  });

  describe('is not to be had', () => {
    const refused = async (options: Partial<MediaProcessOptions>, cause: RegExp): Promise<void> => {
      await assert.rejects(start(options), (error) => {
        assert(hasCode(error, 'NO_MEDIA'));
        assert.match((error.cause as Error).message, cause);
        return true;
      });
      await sleep(50);
      assert.equal(gone, 0, 'what has never been there cannot be gone');
    };

    it('where it is missing', async () => {
      await refused({ entry: childEntry('media/engine/nothing') }, /Cannot find module/);
    });

    it('where its part for WebRTC is missing', async () => {
      const entry = await program("import 'no-such-part-for-webrtc';");
      await refused({ entry }, /Cannot find package 'no-such-part-for-webrtc'/);
    });

    it('where it ends at once', async () => {
      await refused({ entry: await program('process.exit(0);') }, /^$/);
    });

    it('where it does not begin in time, and is killed then', async () => {
      const entry = await program(`console.error(process.pid); ${STUBBORN}`);
      await refused({ entry, startMs: 2_000 }, /^\d+$/);
      assert(await until(PATIENCE_MS, () => !isAlive(Number(notes[0]))));
    });
  });

  describe('whatever it does,', () => {
    it('is not waited for longer than so', async () => {
      const media = await start({ entry: await program(READY + WAITING), callMs: 100 });
      await assert.rejects(media.call('stats', {}), { code: 'TIMEOUT' });
    });

    describe('where it says nothing,', () => {
      const CALL_MS = 1_000;
      /** @returns whether it was answered */
      const asks = async (media: MediaProcess): Promise<boolean> => {
        try {
          await media.call('stats', {});
          return true;
        } catch (error) {
          assert(hasCode(error, 'TIMEOUT') || hasCode(error, 'CLOSED'));
          return false;
        }
      };

      it('is killed after two calls, and is gone then', async () => {
        const media = await start({ entry: await program(READY + STUBBORN), callMs: CALL_MS });
        assert.equal(await asks(media), false);
        await sleep(2 * CALL_MS);
        assert.deepEqual([isAlive(media.pid), gone], [true, 0], 'one may have been too much');
        assert.equal(await asks(media), false);
        assert(await until(PATIENCE_MS, () => gone > 0));
        assert.deepEqual([isAlive(media.pid), media.isGone, gone], [false, true, 1]);
        assert.deepEqual(notes, ['It does not answer any more, and is killed.']);
      });

      it('is left alone after calls at the same time', async () => {
        const media = await start({ entry: await program(READY + WAITING), callMs: CALL_MS });
        assert.deepEqual(await Promise.all([asks(media), asks(media)]), [false, false]);
        await sleep(2 * CALL_MS);
        assert.deepEqual([isAlive(media.pid), gone], [true, 0]);
      });

      it('is left alone where it only answers late, or tells of something else', async () => {
        const event = "process.send({ event: 'talking', peer: null, talking: true })";
        const late = `process.on('message', ({ id }) =>
          setTimeout(() => process.send({ id, result: 'late' }), ${1.3 * CALL_MS}));`;
        const talks = `setInterval(() => ${event}, ${CALL_MS / 10});`;
        const once = `process.once('message', () => ${event});`;
        const cases = [
          { text: late, most: 4 },
          { text: talks, most: 4 },
          { text: once, most: 2 },
        ];
        const calls = cases.map(async ({ text, most }) => {
          const entry = await program(READY + text + WAITING);
          const media = await start({ entry, callMs: CALL_MS });
          for (let at = 0; at < most; at++) assert.equal(await asks(media), false);
          await sleep(CALL_MS);
          return isAlive(media.pid);
        });
        assert.deepEqual(await Promise.all(calls), [true, true, true]);
        assert.equal(gone, 0);
      });

      it('is left alone where the machine slept: all times are over then', async () => {
        const entry = await program(`${READY}${WAITING}
          process.on('message', ({ id }) => { if (id > 1) process.send({ id, result: 'here' }); });`);
        const media = await start({ entry, callMs: CALL_MS });
        assert.equal(await asks(media), false);
        const asked = asks(media);
        // Nothing is done here meanwhile, as in sleep, and what is due comes before what is answered.
        await new Promise(setImmediate);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * CALL_MS);
        await asked;
        await sleep(2 * CALL_MS);
        assert.deepEqual([isAlive(media.pid), gone], [true, 0]);
        assert.equal(await asks(media), true);
      });
    });

    it('is killed when it does not end', async () => {
      const entry = await program(`process.on('SIGTERM', () => undefined); ${READY}${STUBBORN}`);
      const media = await start({ entry });
      await media.stop();
      assert.deepEqual([isAlive(media.pid), gone], [false, 0]);
    });

    it('answers what it was asked, by codes that are known', async () => {
      const entry = await program(`${READY}
        process.on('message', ({ id }) => {
          process.send({ id: id + 1_000, result: 'of nothing' });
          if (id === 1) process.send({ id, code: 'NO_DEVICE', text: 'gone' });
          if (id === 2) process.send({ id, code: 'NO_DEVICE', text: '' });
          if (id === 3) process.send({ id, code: 'toString', text: 'x' });
          if (id === 4) process.send({ id, result: 'right' });
          process.send({ id, result: 'once more' });
        });`);
      const media = await start({ entry });
      const ask = (): Promise<unknown> => media.call('stats', {});
      await assert.rejects(ask(), { code: 'NO_DEVICE', message: 'gone' });
      await assert.rejects(ask(), { code: 'NO_DEVICE', message: /There is no such device/ });
      await assert.rejects(ask(), { code: 'INTERNAL' });
      assert.equal(await ask(), 'right');
    });

    it('writes so much and no more', async () => {
      const entry = await program(`${READY}
        console.error('x'.repeat(10_000));
        for (let line = 0; line < 1_000; line++) console.error('line', line, '\\n');
        ${WAITING}`);
      await start({ entry });
      assert(await until(PATIENCE_MS, () => notes.length >= 200));
      await sleep(100);
      assert.deepEqual([notes.length, notes[0]?.length], [200, 500]);
      assert(notes.every((line) => line.trim() !== ''));
    });
  });
});
