import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encode } from '../../../lib/crdt/codec.ts';
import { ClchatError, hasCode } from '../../../lib/errors.ts';
import { sleep } from '../../../lib/lifecycle.ts';
import {
  FrameQueue,
  observation,
  punchMessage,
  read,
  relayAnswer,
  relayRequest,
} from '../../../lib/node/relay/wire.ts';
import { anyKey, ended, openChannel } from '../../support/channels.ts';
import { coded, soon } from '../../support/peers.ts';

const key = anyKey().public;
const proof = new Uint8Array(64);
const seen = { address: '11.0.0.1:4000', proof };

describe('the language of relays', () => {
  it('reads what is said in it', () => {
    for (const request of [
      { type: 'reserve' },
      { type: 'connect', key },
      { type: 'accept', circuit: 7 },
    ])
      assert.deepEqual(read(relayRequest, encode(request)), request);
    for (const answer of [
      { type: 'reserved', bytes: 2 ** 40, seconds: 60 },
      { type: 'circuit', circuit: 7, from: key },
      { type: 'refused', code: 'OFFLINE' },
    ])
      assert.deepEqual(read(relayAnswer, encode(answer)), answer);
    const at = { type: 'at', seen: [seen, seen] };
    assert.deepEqual(read(punchMessage, encode(at)), at);
  });

  it('refuses all else', () => {
    for (const wrong of [
      { type: 'reserve', more: 1 },
      { type: 'connect', key: key.slice(1) },
      { type: 'accept', circuit: -1 },
      { type: 'unknown' },
      [],
      null,
    ])
      assert.throws(() => read(relayRequest, encode(wrong)), coded('BAD_MESSAGE'));
    const refused = { type: 'refused', code: 'NOT_A_CODE' };
    assert.throws(() => read(relayAnswer, encode(refused)), coded('BAD_MESSAGE'));
    for (const at of [
      { type: 'at', seen: [seen, seen, seen] },
      { type: 'at' },
      { type: 'at', seen: [{ address: 'x'.repeat(65), proof }] },
      { type: 'at', seen: [{ address: 'x', proof: new Uint8Array(63) }] },
    ])
      assert.throws(() => read(punchMessage, encode(at)), coded('BAD_MESSAGE'));
    assert.throws(() => read(observation, new Uint8Array(4_000)), coded('BAD_MESSAGE'));
  });

  it('is read from any bytes without another error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const schema of [relayRequest, relayAnswer, punchMessage, observation])
          try {
            read(schema, bytes);
          } catch (error) {
            assert(hasCode(error, 'BAD_MESSAGE'));
          }
      }),
    );
  });
});

describe('a queue of frames', () => {
  const frame = (value: number): Uint8Array => Uint8Array.of(value);

  it('gives one after the other, whenever it is asked', async () => {
    const { near, far } = await openChannel();
    const queue = new FrameQueue(near);
    far.send(frame(1));
    far.send(frame(2));
    const { signal } = soon();
    assert.deepEqual([...(await queue.next(signal))], [1]);
    await sleep(5);
    assert.deepEqual([...(await queue.next(signal))], [2]);
    const third = queue.next(signal);
    far.send(frame(3));
    assert.deepEqual([...(await third)], [3]);
  });

  it('makes a sender wait while nobody asks', async () => {
    const { near, far } = await openChannel();
    const queue = new FrameQueue(near);
    for (let i = 0; i < 20; i++) far.send(new Uint8Array(100_000));
    await sleep(20);
    assert(far.queued > 0);
    for (let i = 0; i < 20; i++) await queue.next(soon().signal);
    assert.equal(far.queued, 0);
  });

  it('hands the rest to somebody else, and his failure ends the channel', async () => {
    const { near, far } = await openChannel();
    const queue = new FrameQueue(near);
    for (let i = 1; i <= 4; i++) far.send(frame(i));
    await queue.next(soon().signal);
    await sleep(5);
    const taken: number[] = [];
    const over = ended(near);
    queue.pass((one) => {
      taken.push(one[0]!);
      if (one[0] === 4) throw new ClchatError('BAD_MESSAGE');
    });
    assert(hasCode(await over, 'BAD_MESSAGE'));
    assert.deepEqual(taken, [2, 3, 4]);
  });

  it('ends a channel when the frame that it held is not wanted', async () => {
    const { near, far } = await openChannel();
    const queue = new FrameQueue(near);
    far.send(frame(1));
    await sleep(5);
    const over = ended(near);
    queue.pass(() => {
      throw new ClchatError('BAD_MESSAGE');
    });
    assert(hasCode(await over, 'BAD_MESSAGE'));
  });

  it('ends its waiting with the channel and with the signal', async () => {
    const { near, far } = await openChannel();
    const queue = new FrameQueue(near);
    const stop = new AbortController();
    const waiting = queue.next(stop.signal);
    stop.abort(new ClchatError('TIMEOUT'));
    await assert.rejects(waiting, coded('TIMEOUT'));
    const other = queue.next(soon().signal);
    far.abort(new ClchatError('DENIED'));
    await assert.rejects(other, coded('CLOSED'));
    await assert.rejects(queue.next(soon().signal), coded('CLOSED'));
  });
});
