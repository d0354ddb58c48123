import assert from 'node:assert/strict';
import { callOf } from '../../lib/crdt/calls.ts';
import { encode } from '../../lib/crdt/codec.ts';
import { isOfErased, messageAt } from '../../lib/crdt/content.ts';
import { eraseBody, isErasable, isMessage, isShown, type Entry } from '../../lib/crdt/entry.ts';
import { reduceItem } from '../../lib/crdt/rules.ts';
import { entryItem } from '../../lib/crdt/seal.ts';
import { LOBBY_STREAM, pairStream, roomStream, type StreamName } from '../../lib/crdt/stream.ts';
import { SealedCommunity, wireOf, type Member } from '../support/community.ts';
import { ReplicaBench } from '../support/replicas.ts';
import { roomLedger } from '../support/room-ledger.ts';

const CALL = { call: 'c'.repeat(32), outcome: 'ended', seconds: 720, people: 4 };

describe('a call that is over', () => {
  let { ledger, root, alice, bob, make, join } = roomLedger();
  let pair: StreamName;

  beforeEach(() => {
    ({ ledger, root, alice, bob, make, join } = roomLedger());
    pair = pairStream(alice.account, bob.account);
  });

  const ofTwo = (caller: Member, change: object = {}): object => ({
    ...{ ...CALL, people: 2, caller: caller.account },
    ...change,
  });
  const told = (stream: StreamName, body: object): Entry =>
    ledger.server.forge(stream, 'call', body);
  const accept = (stream: StreamName, body: object): Entry =>
    ledger.accept(ledger.server.write(stream, 'call', body));

  it('is told by the server, in rooms of any kind and between two', () => {
    const open = make(alice, 'open');
    const club = make(alice, 'club', { private: true });
    join(alice, club, 'owner');
    for (const stream of [LOBBY_STREAM, open.stream, club.stream])
      assert.deepEqual(callOf(accept(stream, CALL)), CALL);
    const missed = ofTwo(bob, { outcome: 'missed', seconds: 0, people: 1 });
    for (const body of [ofTwo(alice), missed]) assert.deepEqual(callOf(accept(pair, body)), body);
  });

  it('makes no state but the place in the log', () => {
    const verdict = ledger.judge(told(LOBBY_STREAM, CALL));
    assert.ok(verdict.type === 'accepted');
    assert.deepEqual(verdict.changes.map(({ table }) => table).sort(), ['clock', 'head']);
  });

  it('is told by nobody else, whatever they are', () => {
    const open = make(alice, 'open');
    for (const by of [root, alice, bob]) {
      ledger.reject(by.forge(LOBBY_STREAM, 'call', CALL), 'DENIED');
      ledger.reject(by.forge(open.stream, 'call', CALL), 'DENIED');
      assert.equal(callOf(by.forge(LOBBY_STREAM, 'call', CALL)), undefined);
    }
    ledger.reject(alice.forge(pair, 'call', ofTwo(alice)), 'DENIED');
    ledger.reject(root.forge(pair, 'call', ofTwo(alice)), 'DENIED');
  });

  it('names who called between two, and nobody in a room', () => {
    const misfits: [StreamName, object][] = [
      [pair, CALL],
      [pair, ofTwo(root)],
      [LOBBY_STREAM, ofTwo(alice)],
      [LOBBY_STREAM, { ...CALL, outcome: 'missed' }],
      [LOBBY_STREAM, { ...CALL, outcome: 'else' }],
      [LOBBY_STREAM, { ...CALL, call: 'C'.repeat(32) }],
      [LOBBY_STREAM, { ...CALL, seconds: -1 }],
      ['space', CALL],
      [`account/${alice.account}`, CALL],
    ];
    for (const [stream, body] of misfits) {
      ledger.reject(told(stream, body), 'BAD_ENTRY');
      assert.equal(callOf(told(stream, body)), undefined);
    }
  });

  it('is told of rooms and people that there are', () => {
    const nowhere = roomStream('e'.repeat(32));
    ledger.reject(told(nowhere, CALL), 'NO_SUCH_ROOM');
    const nobody = 'f'.repeat(32);
    ledger.reject(told(`pair/${alice.account}:${nobody}`, ofTwo(alice)), 'NO_SUCH_USER');
    // Of somebody who is no more it is still true.
    ledger.accept(root.write('space', 'removeuser', { account: bob.account, vengeance: true }));
    accept(pair, ofTwo(bob));
  });

  it('is read among messages, and is none', () => {
    const entry = told(LOBBY_STREAM, CALL);
    assert.deepEqual([isShown(entry), isMessage(entry), isErasable(entry)], [true, false, false]);
    assert.ok(
      isShown({ kind: 'say' }) && isShown({ kind: 'sealed' }) && !isShown({ kind: 'edit' }),
    );
  });

  it('stays when all that whoever called has written is erased', () => {
    const entry = accept(pair, ofTwo(bob));
    const said = bob.forge(LOBBY_STREAM, 'say', { text: 'x' });
    ledger.accept(root.write('space', 'removeuser', { account: bob.account, vengeance: true }));
    assert.deepEqual(
      [entry, said].map((one) => isOfErased(ledger.space, one)),
      [false, true],
    );
  });

  it('is void without what it says', () => {
    const erased = eraseBody(told(LOBBY_STREAM, CALL));
    const standing = {
      ...{ space: ledger.space, stream: ledger.at(LOBBY_STREAM).state },
      ...{ position: 0, hindsight: false, now: ledger.now },
    };
    assert.equal(reduceItem(entryItem(erased), standing).void, 'BAD_ENTRY');
    assert.equal(callOf(erased), undefined);
  });

  it('is on every replica as the server sealed it, and nothing that anything can be done about', async () => {
    const community = await SealedCommunity.found();
    const member = await community.join('alice');
    const entry = await community.seal(community.server.write(LOBBY_STREAM, 'call', CALL));
    const bench = await ReplicaBench.open(community, member);
    await bench.follow(community.batches);
    const { log } = bench.replica;
    const item = log.item(LOBBY_STREAM, 0);
    assert.ok(item?.type === 'entry' && !bench.replica.isVoid(LOBBY_STREAM, 0));
    assert.deepEqual(callOf(item.entry), CALL);
    assert.equal(messageAt(log, entry.id), undefined);
    assert.equal(messageAt(community.log, entry.id), undefined);
    assert.ok(await bench.replica.verifyState(LOBBY_STREAM));
    // By anybody else it is void, though it were sealed.
    const forged = member.forge(LOBBY_STREAM, 'call', encode(CALL));
    const last = community.of(LOBBY_STREAM).at(-1)!.seal;
    const next = { seq: last.seq + 1, first: 1, previous: last.id };
    const { seal, items } = wireOf(community.unjudged([forged], next));
    assert.equal((await bench.replica.ingest(seal, items)).result, 'added');
    assert.ok(bench.replica.isVoid(LOBBY_STREAM, 1));
  });
});
