/** The rules, and bodies of every kind, well-formed as a rule and wrong in all else. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encode } from '../../lib/crdt/codec.ts';
import type { AccountId } from '../../lib/crdt/keys.ts';
import { reduceItem } from '../../lib/crdt/rules.ts';
import { entryItem } from '../../lib/crdt/seal.ts';
import { LOBBY_STREAM, accountStream, pairStream, type StreamName } from '../../lib/crdt/stream.ts';
import { isErrorCode } from '../../lib/errors.ts';
import { Ledger, Member, type Writer } from '../support/community.ts';
import { roomEntry, madeBy } from '../support/rooms.ts';

const NOBODY = 'f'.repeat(32) as AccountId;

/** A small community, the same each time: an administrator and another, and a private room. */
function found(): { ledger: Ledger; writers: Writer[]; streams: StreamName[] } {
  const ledger = new Ledger();
  const [alice, bob] = [ledger.join('alice'), ledger.join('bob')];
  ledger.appoint(alice, 'admin');
  const den = madeBy(ledger.accept(roomEntry(alice, 'den', { private: true })));
  const streams: StreamName[] = [
    'space',
    LOBBY_STREAM,
    den.stream,
    `room/${'0'.repeat(32)}`,
    pairStream(alice.account, bob.account),
    pairStream(alice.account, NOBODY),
    accountStream(alice.account),
    accountStream(bob.account),
  ];
  const stranger = new Member(ledger.server.id, ledger.random, 'stranger');
  return { ledger, writers: [alice, bob, ledger.server, stranger], streams };
}

describe('the rules', function () {
  this.timeout(60_000);

  it('never throw, whatever is written by whomever', () => {
    const { writers, streams } = found();
    const [alice, bob] = writers as [Member, Member];
    const den = streams[2]!.slice(5);
    const accounts = fc.constantFrom(alice.account, bob.account, 'f'.repeat(32));
    const devices = fc.constantFrom(alice.id, bob.id, 'e'.repeat(64));
    const rooms = fc.constantFrom('lobby', den, '0'.repeat(32));
    const signature = fc.constant(new Uint8Array(64));
    const keyring = fc.record({
      generation: fc.integer({ min: 0, max: 3 }),
      box: fc.constant(new Uint8Array(32)),
      sign: devices,
    });
    const key = fc.constant(new Uint8Array(32));
    const box = fc.constant(new Uint8Array(80));
    const device = fc.record({ sealing: key, label: fc.constantFrom('', 'x') });
    const password = fc.constantFrom(null, { key: new Uint8Array(32), wrap: new Uint8Array(80) });
    const wraps = fc.array(fc.oneof(fc.tuple(devices, box), fc.tuple(accounts, fc.nat(2), box)), {
      maxLength: 3,
    });
    const fields: Record<string, fc.Arbitrary<unknown>> = {
      name: fc.constantFrom('alice', 'Alice', 'dora', 'den', ''),
      groups: fc.constant({}),
      lobby: fc.constant('lobby'),
      text: fc.constantFrom('', 'hello'),
      account: accounts,
      device: fc.oneof(device, devices),
      keyring,
      password: fc.oneof(password, box),
      proof: fc.constant(new Uint8Array(64)),
      generation: fc.nat(2),
      previous: fc.constant(new Uint8Array(72)),
      wraps,
      verifier: fc.oneof(key, devices),
      code: fc.constant('x'),
      group: fc.constantFrom('admin', 'user', 'none', '__proto__x'),
      private: fc.boolean(),
      epoch: fc.constantFrom(den.padEnd(64, '0'), 'zz'),
      box: fc.constant(new Uint8Array(20)),
      number: fc.nat(3),
      add: fc.oneof(
        fc.array(accounts, { maxLength: 3 }),
        fc.subarray(['createRoom', 'sendMessage']),
      ),
      remove: fc.oneof(fc.array(accounts, { maxLength: 3 }), fc.constant([])),
      blocked: fc.boolean(),
      level: fc.nat(100),
      vengeance: fc.boolean(),
      purpose: fc.constantFrom('signup', 'elevate'),
      uses: fc.nat(2),
      expires: fc.nat(2),
      room: rooms,
      parent: fc.option(rooms),
      media: fc.constantFrom('text', 'voice', 'both'),
      lifetime: fc.constantFrom('temporary', 'conference'),
      position: fc.nat(3),
      lock: fc.option(fc.record({ keyring, password: fc.constant(null) })),
      until: fc.nat(2),
      call: fc.constantFrom('c'.repeat(32), 'C'),
      outcome: fc.constantFrom('ended', 'missed'),
      caller: accounts,
      seconds: fc.nat(9),
      people: fc.integer({ min: -1, max: 3 }),
      target: fc.constantFrom(den.padEnd(64, '0'), 'zz'),
      emoji: fc.constantFrom('x', ''),
      on: fc.boolean(),
      moderator: fc.constant(true),
      by: fc.oneof(
        fc.constantFrom({ type: 'owner' }, { type: 'word' }, { type: 'else' }),
        fc.record({ type: fc.constant('lock'), generation: fc.nat(2), proof: signature }),
        fc.record({ type: fc.constant('code'), verifier: devices, proof: signature }),
      ),
      stream: fc.constantFrom(...streams),
      tell: fc.boolean(),
    };
    // Of each kind the fields that it has, so that most bodies fit their schema.
    const shapes: Record<string, string[]> = {
      server: ['name', 'groups', 'lobby'],
      account: ['name', 'device', 'keyring', 'password'],
      device: ['account', 'device', 'generation', 'proof'],
      revoke: ['device', 'keyring', 'wraps', 'password', 'previous'],
      password: ['password'],
      reset: ['account', 'verifier'],
      recover: ['account', 'code', 'device', 'keyring', 'wraps', 'password'],
      setgroup: ['account', 'group'],
      room: ['name', 'private', 'parent?', 'lifetime?', 'media?', 'lock?'],
      say: ['text'],
      sealed: ['epoch', 'box'],
      epoch: ['number', 'wraps'],
      members: ['add', 'remove'],
      block: ['account', 'blocked'],
      read: ['stream', 'until', 'tell'],
      creategroup: ['name', 'level'],
      updategroup: ['name', 'add', 'remove', 'level?'],
      removegroup: ['name'],
      createuser: ['name', 'group', 'keyring', 'password'],
      updateuser: ['account', 'name?'],
      removeuser: ['account', 'vengeance'],
      code: ['purpose?', 'group?', 'verifier', 'uses', 'expires'],
      elevate: ['verifier', 'proof'],
      renameserver: ['name'],
      motd: ['text'],
      ban: ['account', 'room?', 'until'],
      unban: ['account', 'room?'],
      suppress: ['account', 'room?', 'on'],
      call: ['call', 'outcome', 'caller?', 'seconds', 'people'],
      updateroom: ['room', 'name?', 'parent?', 'media?', 'position?'],
      removeroom: ['room'],
      lock: ['room', 'lock'],
      retire: ['room'],
      owner: ['room', 'account'],
      join: ['room?', 'by?'],
      leave: ['room?'],
      expel: ['room', 'account'],
      edit: ['target', 'text?', 'epoch?', 'box?', 'moderator?'],
      remove: ['target', 'moderator?'],
      react: ['target', 'emoji', 'on'],
      request: [],
      unfriend: [],
      '?': [],
    };
    const fitting = (kind: string): StreamName[] => {
      if (kind === 'block') return streams.slice(6);
      if (kind === 'read') return streams.slice(6);
      if (kind === 'members') return streams.slice(2, 3);
      if (['join', 'leave', 'code'].includes(kind)) return streams.slice(0, 4);
      if (['say', 'edit', 'remove', 'react'].includes(kind)) return streams.slice(1, 5);
      if (kind === 'sealed' || kind === 'epoch') return streams.slice(2, 6);
      if (kind === 'call') return streams.slice(1, 6);
      if (kind === 'request' || kind === 'unfriend') return streams.slice(4, 6);
      return streams.slice(0, 1);
    };
    const step = fc
      .constantFrom(...Object.keys(shapes))
      .chain((kind) =>
        fc.record({
          kind: fc.constant(kind),
          who: fc.nat(3),
          stream: fc.oneof(
            { weight: 4, arbitrary: fc.constantFrom(...fitting(kind)) },
            fc.constantFrom(...streams),
          ),
          change: fc.constantFrom({}, {}, {}, {}, { seq: 1 }, { seq: 9 }, { clock: 2 ** 40 }),
        }),
      )
      .chain((head) =>
        fc
          .record(Object.fromEntries(shapes[head.kind]!.map(field)), {
            noNullPrototype: true,
            requiredKeys: shapes[head.kind]!.filter((name) => !name.endsWith('?')),
          })
          .map((body) => ({ ...head, body })),
      );
    function field(name: string): [string, fc.Arbitrary<unknown>] {
      const plain = name.replace('?', '');
      return [plain, fields[plain]!];
    }
    const verdicts = new Map<string, number>();
    const accepted = new Set<string>();
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), (steps) => {
        const { ledger, writers: those } = found();
        for (const { who, stream, kind, body, change } of steps) {
          const writer = those[who]!;
          const entry = writer.forge(stream, kind, encode(body), change);
          const { state, length: position } = ledger.at(stream);
          const { length } = [...state.records()];
          const standing = { space: ledger.space, stream: state, position, now: ledger.now };
          for (const hindsight of [false, true]) {
            const { changes } = reduceItem(entryItem(entry), { ...standing, hindsight });
            assert.ok(changes.length >= 1);
          }
          const verdict = ledger.submit(entry);
          if (verdict.type !== 'rejected') writer.rewind(stream, entry);
          else assert.equal([...state.records()].length, length);
          if (verdict.type === 'accepted') accepted.add(kind);
          else assert.ok(isErrorCode(verdict.code));
          verdicts.set(verdict.type, (verdicts.get(verdict.type) ?? 0) + 1);
        }
      }),
      { numRuns: 150 },
    );
    // Not all in vain: what was made up was accepted at times.
    for (const type of ['accepted', 'refused', 'rejected'])
      assert.ok((verdicts.get(type) ?? 0) > 0, JSON.stringify([...verdicts]));
    assert.ok(accepted.size > 12, [...accepted].join(' '));
  });
});
