import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { encode } from '../../../lib/crdt/codec.ts';
import type { PublicKey } from '../../../lib/crdt/keys.ts';
import { hasCode } from '../../../lib/errors.ts';
import { sleep } from '../../../lib/lifecycle.ts';
import { openCircuit, reserve } from '../../../lib/node/relay/circuits.ts';
import { DEFAULT_ALLOWANCE, type Allowance } from '../../../lib/node/relay/service.ts';
import { anyKey, ended, eventually } from '../../support/channels.ts';
import { coded } from '../../support/peers.ts';
import { received, RelayStage, soon, type Guest } from './stage.ts';

describe('a relay', () => {
  let stage: RelayStage;
  afterEach(() => stage.stop());

  const make = (options: ConstructorParameters<typeof RelayStage>[0] = {}): RelayStage =>
    (stage = new RelayStage(options));
  /** All peers are of one account that may have so much. */
  const shared = (some: Partial<Allowance>) => (): Allowance => ({
    ...DEFAULT_ALLOWANCE,
    account: 'all',
    ...some,
  });
  const holds = (guest: Guest) => reserve(guest.connection, () => undefined, soon());

  it('joins two peers, and carries what they send both ways, in order', async () => {
    make();
    const [here, there] = await stage.meet(await stage.join(), await stage.join());
    const bytes = randomBytes(3_000_000);
    const [atHere, atThere] = [received(here, bytes.length), received(there, bytes.length)];
    for (let at = 0; at < bytes.length; at += 50_000) {
      here.channel.send(bytes.subarray(at, at + 50_000));
      there.channel.send(bytes.subarray(at, at + 50_000));
    }
    for (const all of await Promise.all([atHere, atThere])) assert(bytes.equals(all));
    assert.equal(stage.service.circuits, 1);
  });

  it('makes a fast sender wait for a slow reader', async () => {
    make();
    const [here, there] = await stage.meet(await stage.join(), await stage.join());
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    let count = 0;
    there.onFrame(() => {
      count++;
      return held;
    });
    for (let i = 0; i < 60; i++) here.channel.send(new Uint8Array(60_000));
    await sleep(30);
    assert(here.channel.queued > 1_000_000, `${here.channel.queued}`);
    goOn();
    await eventually('all frames', () => count === 60);
  });

  it('ends both ends with either, and forgets them', async () => {
    make();
    const [asker, target] = [await stage.join(), await stage.join()];
    for (const end of ['close', 'abort'] as const) {
      const [here, there] = await stage.meet(asker, target);
      there.onFrame(() => undefined);
      here.onFrame(() => undefined);
      const ends = [ended(here.channel), ended(there.channel)];
      if (end === 'close') void there.channel.close();
      else there.channel.abort(new Error('over'));
      await Promise.all(ends);
      await eventually('the end', () => stage.service.circuits === 0);
    }
  });

  it('says who cannot be reached, and who may not ask', async () => {
    const known = anyKey();
    make({
      admit: (key) => (key === known.public ? { account: 'k', ...DEFAULT_ALLOWANCE } : undefined),
    });
    const guest = await stage.join(known);
    const other = anyKey().public;
    await assert.rejects(openCircuit(guest.connection, other, soon()), coded('OFFLINE'));
    await assert.rejects(openCircuit(guest.connection, known.public, soon()), coded('SELF'));
    const stranger = await stage.join();
    await assert.rejects(holds(stranger), coded('DENIED'));
    await assert.rejects(openCircuit(stranger.connection, known.public, soon()), coded('DENIED'));
  });

  it('holds one reservation for a peer, and the last one counts', async () => {
    make();
    const guest = await stage.join();
    const first = await holds(guest);
    const over = new Promise((resolve) => first.onEnd(resolve));
    const second = await holds(guest);
    await over;
    assert.equal(stage.service.reservations, 1);
    await second.close();
    await eventually('the end of it', () => stage.service.reservations === 0);
  });

  it('holds no more for all peers of an account than it may have', async () => {
    make({ admit: shared({ reservations: 2 }) });
    const guests = await Promise.all([stage.join(), stage.join(), stage.join()]);
    const first = await holds(guests[0]);
    await holds(guests[1]);
    await assert.rejects(holds(guests[2]), coded('RATE_LIMITED'));
    // Its own place is not one more.
    await holds(guests[1]);
    await first.close();
    await eventually('room', () => stage.service.reservations === 1);
    await holds(guests[2]);
  });

  it('survives a thousand reservations of one peer', async () => {
    make();
    const [flooder, target, asker] = [await stage.join(), await stage.join(), await stage.join()];
    const answers = await Promise.allSettled(Array.from({ length: 1_000 }, () => holds(flooder)));
    assert(answers.filter(({ status }) => status === 'fulfilled').length < 100);
    assert.equal(stage.service.reservations, 1);
    const [here, there] = await stage.meet(asker, target);
    const all = received(there, 3);
    here.channel.send(Uint8Array.of(1, 2, 3));
    assert.deepEqual([...(await all)], [1, 2, 3]);
  });

  it('has room for only so many in all', async () => {
    make({ most: 2 });
    await holds(await stage.join());
    await holds(await stage.join());
    await assert.rejects(holds(await stage.join()), coded('RATE_LIMITED'));
  });

  it('gives an account only so many circuits, and only so fast', async () => {
    make({ admit: shared({ circuits: 2 }) });
    const [asker, ...targets] = await Promise.all(Array.from({ length: 4 }, () => stage.join()));
    for (const target of targets.slice(0, 2)) await stage.meet(asker!, target);
    const last = targets[2]!.key.public;
    await stage.reserve(targets[2]!);
    await assert.rejects(openCircuit(asker!.connection, last, soon()), coded('RATE_LIMITED'));
  });

  it('cuts a circuit that carries more than it may', async () => {
    make({ admit: shared({ bytes: 1_000 }) });
    const [here, there] = await stage.meet(await stage.join(), await stage.join());
    const all = received(there, 1_000);
    for (let i = 0; i < 10; i++) here.channel.send(new Uint8Array(100));
    assert.equal((await all).length, 1_000);
    const over = ended(here.channel);
    there.channel.send(new Uint8Array(1));
    assert(await over);
    assert.equal(stage.service.circuits, 0);
  });

  it('cuts a circuit that lasts longer than it may, or carries nothing', async () => {
    for (const options of [{ admit: shared({ seconds: 0 }), idleMs: 4_000 }, { idleMs: 40 }]) {
      make({ acceptMs: 80, ...options });
      const [here] = await stage.meet(await stage.join(), await stage.join());
      assert(await ended(here.channel));
      assert.equal(stage.service.circuits, 0);
      await stage.stop();
    }
  });

  it('takes back what it has given once it may not be had any more', async () => {
    const banned = new Set<PublicKey>();
    const admit = (account: PublicKey): Allowance | undefined =>
      banned.has(account) ? undefined : { account, ...DEFAULT_ALLOWANCE };
    make({ admit, acceptMs: 40 });
    const [asker, target] = [await stage.join(), await stage.join()];
    const [here] = await stage.meet(asker, target);
    banned.add(target.key.public);
    await eventually('no reservation', () => stage.service.reservations === 0);
    assert.equal(here.channel.ended, false);
    banned.add(asker.key.public);
    await ended(here.channel);
  });

  it('does not wait for a peer that does not come, nor for one that asks nothing', async () => {
    make({ acceptMs: 40 });
    const [asker, target] = [await stage.join(), await stage.join()];
    await holds(target);
    const before = performance.now();
    await assert.rejects(
      openCircuit(asker.connection, target.key.public, soon()),
      coded('TIMEOUT'),
    );
    assert(performance.now() - before < 2_000);
    assert.equal(stage.service.circuits, 0);
    assert(await ended(await stage.open(asker)));
  });

  it('gives a circuit to nobody but whom it was asked for', async () => {
    make();
    const [asker, target, thief] = [await stage.join(), await stage.join(), await stage.join()];
    const told: number[] = [];
    await reserve(target.connection, (circuit) => void told.push(circuit), soon());
    const opened = openCircuit(asker.connection, target.key.public, {
      signal: AbortSignal.timeout(300),
    });
    await eventually('the news', () => told.length === 1);
    const channel = await stage.open(thief);
    channel.onFrame(() => undefined);
    channel.send(encode({ type: 'accept', circuit: told[0] }));
    await ended(channel);
    await assert.rejects(opened, coded('TIMEOUT'));
  });

  it('ends with whatever is said out of turn or makes no sense', async () => {
    make();
    const guest = await stage.join();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (bytes) => {
        const channel = await stage.open(guest);
        channel.onFrame(() => undefined);
        channel.send(bytes);
        await ended(channel);
      }),
      { numRuns: 20 },
    );
    const channel = await stage.open(guest);
    channel.onFrame(() => undefined);
    channel.send(encode({ type: 'reserve' }));
    channel.send(encode({ type: 'reserve' }));
    assert(await ended(channel));
    await eventually('the end', () => stage.service.reservations === 0);
  });

  it('ends all that goes through it when it stops', async () => {
    make();
    const target = await stage.join();
    const [here, there] = await stage.meet(await stage.join(), target);
    const ends = [ended(here.channel), ended(there.channel)];
    stage.service.stop();
    for (const error of await Promise.all(ends)) assert(hasCode(error, 'CLOSED'));
    assert.equal(stage.service.reservations, 0);
    const key: PublicKey = target.key.public;
    const asker = await stage.join();
    await assert.rejects(openCircuit(asker.connection, key, soon()), coded('OFFLINE'));
  });
});
