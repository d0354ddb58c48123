import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as v from 'valibot';
import { decode, encode } from '../../lib/crdt/codec.ts';
import { MAX_ENTRY } from '../../lib/crdt/entry.ts';
import { BATCH_BYTES, MAX_BATCH } from '../../lib/crdt/seal.ts';
import { ClchatError, codeOf } from '../../lib/errors.ts';
import { MAX_FRAME } from '../../lib/node/channel.ts';
import { CALL } from '../../lib/node/calls/wire.ts';
import { encodeNotice, Exchange, type Handlers, type Protocol } from '../../lib/node/exchange.ts';
import { MAX_HEADS, PORTION_BYTES, SESSION, SYNC } from '../../lib/node/wire.ts';
import { MAX_TEXT_BYTES } from '../../lib/text.ts';
import { openChannel, turns } from '../support/channels.ts';
import { mutated } from '../support/mutate.ts';

const KEY = 'ab'.repeat(32);

/** A request of each method, and a notice of each kind, as they are meant to be. */
const REQUESTS: Readonly<Record<string, unknown>> = {
  hello: { version: 1 },
  lookup: { name: 'alice' },
  login: {},
  loginStart: { name: 'alice', request: new Uint8Array(96) },
  loginFinish: { finish: new Uint8Array(64) },
  loginFailed: {},
  enrol: { entry: new Uint8Array(400) },
  registerStart: { name: 'alice', request: new Uint8Array(32) },
  signup: { entry: new Uint8Array(400), record: null },
  passwordStart: { request: new Uint8Array(32) },
  password: { entry: new Uint8Array(400), record: new Uint8Array(192) },
  recoverStart: { name: 'alice', code: 'sesame', request: new Uint8Array(32) },
  recover: { entry: new Uint8Array(400), record: new Uint8Array(192) },
  logout: {},
  lockStart: { request: new Uint8Array(32) },
  lock: { entry: new Uint8Array(400), record: null },
  roomStart: { room: 'lobby', request: new Uint8Array(96) },
  roomFinish: { finish: new Uint8Array(64) },
  createUserStart: { name: 'alice', request: new Uint8Array(32) },
  createUser: { entry: new Uint8Array(400), record: new Uint8Array(192) },
  mailReset: { account: 'ab'.repeat(16), code: 'sesame' },
  setEmail: { account: 'ab'.repeat(16), email: 'alice@example.org' },
  peers: { hash: KEY },
  whereis: { account: 'ab'.repeat(16) },
  kick: { account: 'ab'.repeat(16) },
  conferences: {},
  conferenceJoin: { target: { id: 'ab'.repeat(16) }, secondDevice: false },
  conferenceLeave: {},
  conferenceInvite: { id: 'ab'.repeat(16), account: 'ab'.repeat(16) },
  callStart: {
    id: 'ab'.repeat(16),
    target: { account: 'ab'.repeat(16), room: 'lobby' },
    equipment: { microphone: true, camera: false, entered: true, live: 'the plan' },
    secondDevice: false,
  },
  callAnswer: {
    id: 'ab'.repeat(16),
    equipment: { microphone: true, camera: false, entered: true },
  },
  callDecline: { id: 'ab'.repeat(16) },
  callLeave: { id: 'ab'.repeat(16) },
  callUpdate: {
    id: 'ab'.repeat(16),
    equipment: { microphone: true, camera: true, entered: false, recording: true },
  },
  calls: {},
  begin: { id: 'ab'.repeat(16) },
  whoelse: {},
  whoelsesince: { seconds: 60 },
  broadcast: { text: 'hello', time: 1 },
  online: {},
  ping: {},
  open: {},
  heads: { after: 'room/lobby' },
  lengths: { streams: ['space', 'room/lobby'] },
  handBack: { batches: [{ seal: new Uint8Array(300), items: [new Uint8Array(300)] }] },
  fetch: { stream: 'space', from: 0 },
  fetchMany: { wants: [['space', 0]] },
  older: { stream: 'room/lobby', before: 10, least: 0 },
  snapshot: { stream: 'space', page: 0 },
  submit: { entries: [new Uint8Array(400)] },
  receipts: { ids: [KEY] },
};
const NOTICES: Readonly<Record<string, unknown>> = {
  active: {},
  leaving: {},
  conference: { id: 'lobby', name: 'lobby', state: 'active', participants: ['alice'] },
  conferences: {},
  call: {
    id: 'ab'.repeat(16),
    state: 'active',
    participants: [
      { user: 'alice', device: KEY, microphone: true, camera: false, entered: true, away: true },
    ],
  },
  roomCall: { id: 'ab'.repeat(16), room: 'lobby', state: 'active', users: ['alice'] },
  offer: { attempt: 1, sdp: 'v=0' },
  answer: { attempt: 1, sdp: 'v=0' },
  candidate: { attempt: 1, candidate: 'candidate:1', mid: '0' },
  callme: { attempt: 0, how: 'anew' },
  view: { camera: { width: 160, height: 96, fps: 15 }, screen: null },
  bye: {},
  reachable: { addresses: ['192.168.1.2:49152'] },
  typing: { stream: 'room/lobby' },
  presence: { user: 'alice', online: true },
  broadcast: { from: 'alice', text: 'hello', time: 1 },
  logout: { reason: 'timeout' },
  batch: { seal: new Uint8Array(300), items: [new Uint8Array(300)] },
  heads: { heads: [['space', 5]] },
  receipts: { receipts: [[KEY, 1, 2, 0]] },
  acks: { cursors: [['space', 5]] },
};

describe('the wire', () => {
  for (const protocol of [SESSION, SYNC, CALL] as readonly Protocol[]) {
    it(`has a sample of everything in ${protocol.name}`, () => {
      for (const [name, { request }] of Object.entries(protocol.methods))
        assert.ok(v.is(request, REQUESTS[name]), name);
      for (const [name, schema] of Object.entries(protocol.notices))
        assert.ok(v.is(schema, NOTICES[name]), name);
    });

    it(`takes nothing more and nothing else in ${protocol.name}`, () => {
      const schemas = [
        ...Object.entries(protocol.methods).map(
          ([name, { request }]) => [name, request, REQUESTS[name]] as const,
        ),
        ...Object.entries(protocol.notices).map(
          ([name, schema]) => [name, schema, NOTICES[name]] as const,
        ),
      ];
      for (const [name, schema, sample] of schemas) {
        assert.ok(!v.is(schema, { ...(sample as object), more: 1 }), name);
        for (const other of [null, undefined, 7, 'x', [sample]])
          assert.ok(!v.is(schema, other), name);
        for (const field of Object.keys(sample as object))
          for (const value of [undefined, {}, Symbol('x'), -1, 1.5, Array(3)])
            assert.ok(!v.is(schema, { ...(sample as object), [field]: value }), `${name}.${field}`);
      }
    });

    it(`survives any frame in ${protocol.name}, and hands on only what fits`, async function () {
      this.timeout(20_000);
      const frames = [
        ...Object.keys(protocol.methods).map((name) => encode([0, 1, name, REQUESTS[name]])),
        ...Object.keys(protocol.notices).map((name) => encode([3, name, NOTICES[name]])),
      ];
      let served = 0;
      const take = (schema: v.GenericSchema) => (payload: unknown) => {
        assert.ok(v.is(schema, payload));
        served++;
      };
      const handlers = {
        methods: Object.fromEntries(
          Object.entries(protocol.methods).map(([name, { request }]) => [
            name,
            (payload: unknown): never => {
              take(request)(payload);
              throw new ClchatError('DENIED');
            },
          ]),
        ),
        notices: Object.fromEntries(
          Object.entries(protocol.notices).map(([name, schema]) => [name, take(schema)]),
        ),
        onFault: (error: unknown) => assert.fail(String(error)),
      } as unknown as Handlers<Protocol>;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.oneof(fc.constantFrom(...frames), mutated(frames)), {
            minLength: 3,
            maxLength: 12,
            size: 'max',
          }),
          async (hostile) => {
            const { near, far } = await openChannel(protocol.name);
            const exchange = new Exchange(far, protocol, handlers);
            const answers: unknown[][] = [];
            near.onFrame((answer) => void answers.push(decode(answer) as unknown[]));
            let end: Error | undefined;
            far.onEnd((error) => (end = error));
            for (const frame of hostile) near.send(frame);
            await turns(6);
            if (exchange.ended) assert.equal(codeOf(end), 'BAD_MESSAGE');
            for (const [type, , code] of answers) {
              assert.equal(type, 2);
              assert.ok(['BAD_MESSAGE', 'NOT_SUPPORTED', 'DENIED'].includes(String(code)));
            }
            near.abort(new ClchatError('CLOSED'));
          },
        ),
        { numRuns: 80 },
      );
      assert.ok(served > 0);
    });
  }

  it('bounds every list and every text', () => {
    const { methods, notices } = SYNC;
    const entry = new Uint8Array(1);
    assert.ok(v.is(methods.submit.request, { entries: Array(64).fill(entry) }));
    assert.ok(!v.is(methods.submit.request, { entries: Array(65).fill(entry) }));
    assert.ok(!v.is(methods.submit.request, { entries: [] }));
    assert.ok(!v.is(methods.submit.request, { entries: [new Uint8Array(MAX_ENTRY + 1)] }));
    assert.ok(!v.is(methods.receipts.request, { ids: Array(501).fill(KEY) }));
    assert.ok(!v.is(methods.lengths.request, { streams: Array(1_001).fill('space') }));
    const heads = (length: number) => ({
      heads: Array(length).fill([`pair/${'a'.repeat(32)}:${'b'.repeat(32)}`, 2 ** 48, KEY]),
      more: true,
    });
    for (const { reply } of [methods.open, methods.heads]) {
      assert.ok(v.is(reply, heads(MAX_HEADS)));
      assert.ok(!v.is(reply, heads(MAX_HEADS + 1)));
    }
    assert.ok(encode([1, 2 ** 40, heads(MAX_HEADS)]).length < MAX_FRAME / 2);
    assert.ok(!v.is(notices.acks, { cursors: Array(20_001).fill(['space', 0]) }));
    const items = (length: number) => ({
      seal: entry,
      items: Array<Uint8Array>(length).fill(entry),
    });
    assert.ok(v.is(notices.batch, items(MAX_BATCH)));
    assert.ok(!v.is(notices.batch, items(MAX_BATCH + 1)));
    const { request } = SESSION.methods.broadcast;
    assert.ok(v.is(request, { text: 'x'.repeat(MAX_TEXT_BYTES), time: 1 }));
    assert.ok(!v.is(request, { text: 'x'.repeat(MAX_TEXT_BYTES + 1), time: 1 }));
    const start = SESSION.methods.loginStart.request;
    assert.ok(!v.is(start, { name: 'alice', request: new Uint8Array(2_049) }));
    assert.ok(!v.is(start, { name: 'a b', request: new Uint8Array() }));
    assert.ok(!v.is(SESSION.notices.presence, { user: 'x'.repeat(33), online: true }));
  });

  it('has frames that hold the largest batch there may be, alone and after others', () => {
    // As the sealer fills it: full with the item that exceeds the bound.
    const sizes = [
      ...Array<number>(Math.floor((BATCH_BYTES - 1) / 16_384)).fill(16_384),
      MAX_ENTRY,
    ];
    const short = BATCH_BYTES - 1 - (sizes.length - 1) * 16_384;
    const large = [short, ...sizes].map((size) => new Uint8Array(size));
    const batch = { seal: new Uint8Array(1_024), items: large };
    assert.ok(v.is(SYNC.notices.batch, batch));
    assert.ok(encodeNotice(SYNC, 'batch', batch).length < MAX_FRAME);
    const small = { seal: new Uint8Array(1_024), items: [new Uint8Array(16_384)] };
    const before = Array<typeof small>(Math.floor(PORTION_BYTES / 17_408)).fill(small);
    const reply = encode([1, 2 ** 40, { batches: [...before, batch] }]);
    assert.ok(reply.length < MAX_FRAME, `${reply.length} bytes`);
    // Many small items cost more than their bytes.
    const crowd = Array<Uint8Array>(MAX_BATCH).fill(new Uint8Array(BATCH_BYTES / MAX_BATCH + 1));
    const crowded = { seal: new Uint8Array(1_024), items: crowd };
    assert.ok(encode([1, 2 ** 40, { batches: [...before, crowded] }]).length < MAX_FRAME);
  });
});
