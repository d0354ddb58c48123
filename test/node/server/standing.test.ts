import assert from 'node:assert/strict';
import { encodeEntry } from '../../../lib/crdt/entry.ts';
import type { AccountId, RoomId } from '../../../lib/crdt/keys.ts';
import { codeOf } from '../../../lib/errors.ts';
import type { BlobHash } from '../../../lib/node/blobs/manifest.ts';
import type { CallId } from '../../../lib/node/calls/wire.ts';
import type { Request } from '../../../lib/node/exchange.ts';
import { guarded, type Standing } from '../../../lib/node/server/standing.ts';
import { PROTOCOL_VERSION, SESSION } from '../../../lib/node/wire.ts';
import { eventually } from '../../support/channels.ts';
import { World, type Peer } from '../../support/roles.ts';
import { newUser, prove } from './passwords.ts';

type MethodName = keyof typeof SESSION.methods;
type NoticeName = keyof typeof SESSION.notices;

const some = new Uint8Array(32);
const account = 'a'.repeat(32) as AccountId;
const room = 'b'.repeat(32) as RoomId;
const hash = 'c'.repeat(64) as BlobHash;
const call = 'd'.repeat(32) as CallId;
const equipment = { microphone: true, camera: false, entered: false };

/** Something that fits for each method there is: one that is new has to be put here. */
const REQUESTS: { readonly [M in MethodName]: Request<typeof SESSION, M> } = {
  hello: { version: PROTOCOL_VERSION },
  lookup: { name: 'x' },
  login: {},
  loginStart: { name: 'x', request: some },
  loginFinish: { finish: some },
  loginFailed: {},
  enrol: { entry: some },
  registerStart: { name: 'x', request: some },
  signup: { entry: some, record: null },
  passwordStart: { request: some },
  password: { entry: some, record: some },
  recoverStart: { name: 'x', code: 'x', request: some },
  recover: { entry: some, record: some },
  lockStart: { request: some },
  lock: { entry: some, record: null },
  roomStart: { room, request: some },
  roomFinish: { finish: some },
  createUserStart: { name: 'x', request: some },
  createUser: { entry: some, record: some },
  mailReset: { account, code: 'x' },
  setEmail: { account, email: null },
  peers: { hash },
  whereis: { account },
  kick: { account },
  whoelse: {},
  whoelsesince: { seconds: 60 },
  broadcast: { text: 'x', time: 1 },
  conferences: {},
  conferenceJoin: { target: { name: 'x' }, secondDevice: false },
  conferenceLeave: {},
  conferenceInvite: { id: room, account },
  callStart: { id: call, target: { room }, equipment, secondDevice: false },
  callAnswer: { id: call, equipment },
  callDecline: { id: call },
  callLeave: { id: call },
  callUpdate: { id: call, equipment },
  calls: {},
  online: {},
  ping: {},
  // The last: with it ends what is asked about.
  logout: {},
};

const METHODS = Object.keys(REQUESTS) as MethodName[];
const WAYS_IN: readonly MethodName[] = [
  ...(['hello', 'ping', 'lookup', 'login', 'logout', 'loginStart', 'loginFinish'] as const),
  ...(['loginFailed', 'enrol', 'registerStart', 'signup', 'recoverStart', 'recover'] as const),
];
const WAYS_TO_CHANGE: readonly MethodName[] = [
  ...(['hello', 'ping', 'login', 'logout', 'loginStart', 'loginFinish', 'loginFailed'] as const),
  ...(['passwordStart', 'password', 'recoverStart', 'recover'] as const),
];

describe('the standing of a session', () => {
  let world: World;

  beforeEach(async () => (world = await World.start()));
  afterEach(async () => {
    await world.stop();
    assert.deepEqual(world.faults, []);
  });

  /** Logged in with a password that somebody else made. */
  const unready = async (root: Peer, name: string): Promise<Peer> => {
    const { request, keyring } = await newUser(world, root, name);
    const made = await root.session.call('createUser', request);
    const peer = await world.peer(name);
    peer.member.account = made.account;
    peer.member.keyring = keyring;
    await prove(peer, name, 'first');
    await peer.session.call('enrol', { entry: encodeEntry(peer.member.enrolment()) });
    return peer;
  };
  const admin = async (): Promise<Peer> => {
    const root = await world.member('root');
    await world.server.crown('root');
    return root;
  };
  /** What each method is answered with: a code, or that it was let through. */
  const ask = async ({ session }: Peer): Promise<Map<MethodName, string>> => {
    const answers = new Map<MethodName, string>();
    for (const method of METHODS)
      answers.set(method, await session.call(method, REQUESTS[method]).then(() => 'done', codeOf));
    return answers;
  };
  const refused = (answers: ReadonlyMap<MethodName, string>, code: string): MethodName[] =>
    METHODS.filter((method) => answers.get(method) === code);
  const allBut = (open: readonly MethodName[]): MethodName[] =>
    METHODS.filter((method) => !open.includes(method));

  it('is asked about every method there is', () => {
    assert.deepEqual([...METHODS].sort(), Object.keys(SESSION.methods).sort());
  });

  it('lets strangers find their way in, and nothing else', async () => {
    const answers = await ask(await world.peer());
    for (const method of allBut(WAYS_IN))
      assert.equal(answers.get(method), 'NOT_LOGGED_IN', method);
    assert.deepEqual(refused(answers, 'MUST_CHANGE'), []);
  });

  it('lets those whose password was made by somebody else change it, and nothing else', async () => {
    const dora = await unready(await admin(), 'dora');
    const answers = await ask(dora);
    assert.deepEqual(refused(answers, 'MUST_CHANGE').sort(), allBut(WAYS_TO_CHANGE).sort());
    assert.deepEqual(refused(answers, 'NOT_LOGGED_IN'), []);
  });

  it('lets everybody else ask anything', async () => {
    const answers = await ask(await admin());
    assert.deepEqual(refused(answers, 'MUST_CHANGE'), []);
    assert.deepEqual(refused(answers, 'NOT_LOGGED_IN'), []);
  });

  it('lets nobody be told of the typing of those who have to change it first', async () => {
    const root = await admin();
    const dora = await unready(root, 'dora');
    const bob = await world.member('bob');
    dora.session.notify('typing', { stream: 'room/lobby' });
    await dora.session.call('ping', {});
    bob.session.notify('typing', { stream: 'room/lobby' });
    await eventually('bob is seen', () => root.typing.length > 0);
    assert.deepEqual(root.typing, [{ stream: 'room/lobby', user: 'bob' }]);
  });

  it('is asked for anew at each request and each notice', () => {
    let standing: Standing = 'stranger';
    const through: string[] = [];
    const every = (names: readonly string[]): Record<string, () => void> =>
      Object.fromEntries(names.map((name) => [name, () => void through.push(name)]));
    const notices = Object.keys(SESSION.notices) as NoticeName[];
    const { methods, notices: heard } = guarded(() => standing, {
      methods: every(METHODS),
      notices: every(notices),
    });
    const letThrough = (): string[] => {
      through.length = 0;
      for (const method of METHODS)
        try {
          (methods[method] as (request: unknown) => void)(REQUESTS[method]);
        } catch (error) {
          assert.equal(codeOf(error), standing === 'stranger' ? 'NOT_LOGGED_IN' : 'MUST_CHANGE');
        }
      for (const name of notices) (heard[name] as (notice: unknown) => void)({});
      return [...through].sort();
    };
    assert.deepEqual(letThrough(), [...WAYS_IN].sort());
    standing = 'unready';
    const told: NoticeName[] = ['active', 'leaving', 'reachable'];
    assert.deepEqual(letThrough(), [...WAYS_TO_CHANGE, ...told].sort());
    standing = 'ready';
    assert.deepEqual(letThrough(), [...METHODS, ...notices].sort());
  });
});
