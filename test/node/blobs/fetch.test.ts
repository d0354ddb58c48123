import assert from 'node:assert/strict';
import { ClchatError, codeOf } from '../../../lib/errors.ts';
import { sleep } from '../../../lib/lifecycle.ts';
import type { Progress } from '../../../lib/node/blobs/add-file.ts';
import { CHUNK_SIZE, type Manifest } from '../../../lib/node/blobs/manifest.ts';
import { inTurn, type NextSource } from '../../../lib/node/blobs/sources.ts';
import type { BLOB } from '../../../lib/node/blobs/wire.ts';
import type { Transport } from '../../../lib/node/channel.ts';
import type { Handlers } from '../../../lib/node/exchange.ts';
import { eventually } from '../../support/channels.ts';
import { ShiftedClock } from '../../support/roles.ts';
import { HeldIntervals } from '../../support/time.ts';
import {
  blobOf,
  content,
  cut,
  referenceTo,
  stage,
  store as put,
  type Blob,
  type Peer,
} from './stage.ts';

type Methods = Handlers<typeof BLOB>['methods'];

describe('fetching a blob', () => {
  const { peer, foreign, way } = stage();
  const blob = blobOf(12);
  const { manifest, chunks } = blob;
  const { hash } = manifest;

  let bob: Peer;
  beforeEach(async () => (bob = await peer()));

  const holder = async (of = blob, which?: readonly number[]): Promise<Peer> => {
    const one = await peer();
    await put(one.store, of, which);
    return one;
  };
  const from = (...others: { key: Peer['key'] }[]): NextSource =>
    inTurn(others.map((other) => way(bob, other)));
  const fetch = (next: NextSource, of = blob): Promise<void> =>
    bob.client.fetch(referenceTo(of), next);
  const missing = async (): Promise<number[] | undefined> =>
    (await bob.store.have(hash))?.missing();

  async function isThere({ manifest: { hash }, chunks }: Blob = blob): Promise<void> {
    assert.ok(bob.store.has(hash));
    for (const [index, chunk] of chunks.entries())
      assert.deepEqual(await bob.store.chunk(hash, index), chunk);
  }

  /** A peer that serves the blob, but for what is said otherwise. */
  const foe = (methods: Methods, of: Manifest = manifest): Transport =>
    foreign({
      manifest: () => ({ manifest: of.bytes }),
      have: () => ({ have: new Uint8Array(Math.ceil(of.count / 8)).fill(0xff) }),
      chunk: ({ index }) => ({ chunk: chunks[index]! }),
      ...methods,
    });

  it('brings it from one that has it', async () => {
    const alice = await holder();
    const told: Progress[] = [];
    await bob.client.fetch(referenceTo(blob), from(alice), {
      onProgress: (progress) => told.push(progress),
    });
    await isThere();
    assert.deepEqual(told[0], { done: 0, total: manifest.size });
    assert.deepEqual(told.at(-1), { done: manifest.size, total: manifest.size });
    assert.ok(told.every(({ done }, i) => i === 0 || done > told[i - 1]!.done));
    await eventually('the end of the connection', () => alice.channels[0]!.ended);
    // What is here is asked of nobody.
    await fetch(() => assert.fail('it is here'));
  });

  for (const size of [0, 1, CHUNK_SIZE])
    it(`brings one of ${size} bytes`, async () => {
      const small = cut(content(size));
      await fetch(from(await holder(small)), small);
      await isThere(small);
    });

  it('brings it from several at once', async () => {
    const large = blobOf(60);
    const holders = [await holder(large), await holder(large), await holder(large)];
    await fetch(from(...holders), large);
    await isThere(large);
    // Each is asked for what it has and for the manifest too.
    for (const { asked } of holders) assert.ok(asked.length > 8, `${asked.length} of 60`);
    const all = holders.reduce((sum, { asked }) => sum + asked.length, 0);
    assert.ok(all <= 61 + 6 + 3, `${all} questions`);
  });

  it('brings it from those who have each a part', async () => {
    const even = await holder(blob, [0, 2, 4, 6, 8, 10, 12]);
    const odd = await holder(blob, [1, 3, 5, 7, 9, 11]);
    const none = await peer();
    await fetch(from(none, even, odd));
    await isThere();
  });

  it('fails where nobody has all of it, and keeps what there was', async () => {
    const next = from(await holder(blob, [0, 1]), await peer(), await holder(blob, [5]));
    await assert.rejects(fetch(next), { code: 'NO_SUCH_FILE' });
    assert.equal((await missing())?.length, 10);
    await fetch(from(await holder()));
    await isThere();
  });

  it('goes on where it was left', async () => {
    await put(bob.store, blob, [0, 1, 2, 3, 12]);
    const alice = await holder();
    const told: Progress[] = [];
    await bob.client.fetch(referenceTo(blob), from(alice), {
      onProgress: (progress) => told.push(progress),
    });
    await isThere();
    assert.equal(told[0]?.done, 4 * CHUNK_SIZE + 1_000);
    // The manifest is known: it is asked what it has, and for eight chunks.
    assert.equal(alice.asked.length, 9);
  });

  it('goes on by another connection when one is lost', async () => {
    const alice = await holder(blobOf(60));
    let isCut = false;
    const fetching = bob.client.fetch(referenceTo(blobOf(60)), from(alice), {
      onProgress: ({ done }) => {
        if (isCut || done < 20 * CHUNK_SIZE) return;
        isCut = true;
        alice.channels[0]!.abort(new ClchatError('CLOSED'));
      },
    });
    await fetching;
    await isThere(blobOf(60));
    assert.equal(alice.channels.length, 2);
    assert.ok(alice.asked.length < 61 + 10 + 4, `${alice.asked.length}`);
  });

  describe('from peers that send what they should not', () => {
    const other = blobOf(12, 1_000, 2);
    const wrong: Readonly<Record<string, Methods>> = {
      'other bytes': { chunk: () => ({ chunk: content(CHUNK_SIZE, 9) }) },
      'chunks in each other’s places': {
        chunk: ({ index }) => ({ chunk: chunks[(index + 1) % 12]! }),
      },
      'chunks cut short': { chunk: ({ index }) => ({ chunk: chunks[index]!.subarray(1) }) },
      'empty chunks': { chunk: () => ({ chunk: new Uint8Array() }) },
      'another manifest': { manifest: () => ({ manifest: other.manifest.bytes }) },
      'a manifest that is none': { manifest: () => ({ manifest: content(100) }) },
      'an empty manifest': { manifest: () => ({ manifest: new Uint8Array() }) },
      'a bitmap too long': { have: () => ({ have: new Uint8Array(3) }) },
      'a bitmap too short': { have: () => ({ have: new Uint8Array(0) }) },
      'a chunk too long': { chunk: () => ({ chunk: new Uint8Array(CHUNK_SIZE + 1) }) },
      'no chunk at all': { chunk: () => ({}) as never },
    };
    for (const [what, methods] of Object.entries(wrong)) {
      it(`takes nothing of ${what}`, async () => {
        const eve = foe(methods);
        await assert.rejects(fetch(from(eve)), { code: 'BAD_MESSAGE' });
        assert.ok(((await missing()) ?? chunks).length === 13);
        assert.equal(bob.store.has(other.manifest.hash), false);
      });

      it(`leaves the one that sends ${what} for another`, async () => {
        await fetch(from(foe(methods), await holder()));
        await isThere();
      });
    }

    it('keeps what was good of it, and asks it no more', async () => {
      const asked: number[] = [];
      const eve = foe({
        chunk: ({ index }) => {
          asked.push(index);
          return { chunk: index < 5 ? chunks[index]! : content(CHUNK_SIZE, 9) };
        },
      });
      await assert.rejects(fetch(from(eve, eve, eve)), { code: 'BAD_MESSAGE' });
      assert.deepEqual(await missing(), [5, 6, 7, 8, 9, 10, 11, 12]);
      assert.ok(asked.length <= 13);
      await fetch(from(await holder()));
      await isThere();
    });

    it('gives up one that says it has what it has not', async () => {
      const liar = foe({ chunk: ({ index }) => ({ chunk: index === 7 ? null : chunks[index]! }) });
      await assert.rejects(fetch(from(liar)), { code: 'NO_SUCH_FILE' });
      assert.deepEqual(await missing(), [7]);
      await fetch(from(liar, await holder(blob, [7])));
      await isThere();
    });
  });

  it('believes no message that says another size than the blob has', async () => {
    const alice = await holder();
    for (const lie of [{ size: manifest.size + 1 }, { size: 0 }, { key: new Uint8Array(32) }])
      await assert.rejects(bob.client.fetch({ ...referenceTo(blob), ...lie }, from(alice)), {
        code: 'BAD_MESSAGE',
      });
    assert.deepEqual(bob.store.list(), []);
    await put(bob.store, blob, [0]);
    await assert.rejects(bob.client.fetch({ ...referenceTo(blob), size: 1 }, from(alice)), {
      code: 'BAD_MESSAGE',
    });
  });

  it('says why it could ask nobody', async () => {
    const alice = await holder();
    await alice.transport.stop();
    await assert.rejects(fetch(from(alice)), { code: 'NETWORK' });
    await assert.rejects(fetch(from()), { code: 'NO_SUCH_FILE' });
    const refusing = (code: ClchatError['code']): Transport =>
      foreign({
        manifest: () => {
          throw new ClchatError(code);
        },
        have: () => {
          throw new ClchatError(code);
        },
      });
    await assert.rejects(fetch(from(refusing('NO_SUCH_FILE'))), { code: 'NO_SUCH_FILE' });
    // What may be otherwise next time is more telling.
    const next = from(refusing('NO_SUCH_FILE'), refusing('RATE_LIMITED'), refusing('NO_SUCH_FILE'));
    await assert.rejects(fetch(next), { code: 'RATE_LIMITED' });
  });

  it('asks another for what one does not send', async () => {
    // It sends its first chunks, and then nothing more.
    let sent = 0;
    const slow = foe({
      chunk: async ({ index }) => {
        if (++sent > 3) await sleep(60_000, stopped.signal);
        return { chunk: chunks[index]! };
      },
    });
    const stopped = new AbortController();
    const alice = await holder();
    const clock = new ShiftedClock();
    bob = await peer({ clock });
    const intervals = new HeldIntervals();
    try {
      let isOver = false;
      const fetching = fetch(from(slow, alice)).finally(() => (isOver = true));
      await eventually('the silence', () => sent >= 4);
      assert.equal(alice.asked.length, 0);
      await eventually('the end', () => {
        clock.shift += 500;
        intervals.pass(500);
        return isOver;
      });
      await fetching;
    } finally {
      intervals.restore();
    }
    stopped.abort();
    await isThere();
  });

  it('does not wait for a peer that never connects, once it has all', async () => {
    const large = blobOf(30);
    const alice = await holder(large);
    const next = from(alice);
    let asked = 0;
    let wasAborted = false;
    const waiting: NextSource = (signal) => {
      if (++asked === 1) return next(signal);
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          wasAborted = true;
          resolve(undefined);
        });
      });
    };
    await fetch(waiting, large);
    await isThere(large);
    assert.ok(wasAborted);
    assert.equal(asked, 2);
  });

  it('asks no more peers than are worth it', async () => {
    const [alice, carol] = [await holder(), await holder()];
    await fetch(from(alice, carol));
    await isThere();
    assert.equal(carol.channels.length, 0);
  });

  it('lets go of a peer that connects too late', async () => {
    const alice = await holder();
    let connected: () => void = () => undefined;
    const connecting = new Promise<void>((resolve) => (connected = resolve));
    let wasAsked = false;
    let wasReleased = false;
    const abort = new AbortController();
    const next: NextSource = async () => {
      wasAsked = true;
      await connecting;
      const { exchange, release } = await way(bob, alice)(new AbortController().signal);
      return { exchange, release: () => ((wasReleased = true), release()) };
    };
    const options = { signal: abort.signal };
    const failing = assert.rejects(bob.client.fetch(referenceTo(blob), next, options), {
      name: 'AbortError',
    });
    await eventually('being asked', () => wasAsked);
    abort.abort();
    await failing;
    connected();
    await eventually('its release', () => wasReleased);
  });

  it('can be given up at any time, and keeps what has come', async () => {
    const alice = await holder();
    for (const chunk of [0, 1, 4, 9]) {
      const abort = new AbortController();
      const fetching = bob.client.fetch(referenceTo(blob), from(alice), {
        signal: abort.signal,
        onProgress: ({ done }) => {
          if (done >= chunk * CHUNK_SIZE) abort.abort();
        },
      });
      await assert.rejects(fetching, { name: 'AbortError' });
      assert.ok(((await missing()) ?? chunks).length <= 13 - chunk);
      await eventually('the end of it', () => alice.channels.every(({ ended }) => ended));
    }
    await assert.rejects(
      bob.client.fetch(referenceTo(blob), from(alice), { signal: AbortSignal.abort() }),
      { name: 'AbortError' },
    );
    await fetch(from(alice));
    await isThere();
  });

  it('brings it once where two want it', async () => {
    const alice = await holder();
    const done: number[] = [];
    const fetching = [1, 2, 3].map((n) => fetch(from(alice)).then(() => done.push(n)));
    await Promise.all(fetching);
    await isThere();
    assert.deepEqual(done, [1, 2, 3]);
    assert.ok(alice.asked.length <= 13 + 2);
    // And one that fails is in nobody's way.
    const other = blobOf(3, 5, 7);
    const carol = await holder(other);
    const failing = fetch(from(alice), other);
    const working = fetch(from(carol), other);
    await assert.rejects(failing, { code: 'NO_SUCH_FILE' });
    await working;
    await isThere(other);
  });

  it('fails without blaming anybody when there is no room here', async () => {
    bob = await peer({ store: { maxBytes: 1 << 20 } });
    const alice = await holder();
    await assert.rejects(fetch(from(alice, await holder())), { code: 'DISK_FULL' });
    assert.deepEqual(bob.store.list(), []);
    assert.equal(alice.asked.length <= 3, true);
  });

  it('fails when what it brings is removed meanwhile', async () => {
    const alice = await holder(blobOf(60));
    let isGone = false;
    const fetching = bob.client.fetch(referenceTo(blobOf(60)), from(alice), {
      onProgress: ({ done }) => {
        if (isGone || done < 9 * CHUNK_SIZE) return;
        isGone = true;
        void bob.store.delete(blobOf(60).manifest.hash);
      },
    });
    await assert.rejects(fetching, (error) => codeOf(error) === 'NO_SUCH_FILE');
    assert.deepEqual(bob.store.list(), []);
  });
});
