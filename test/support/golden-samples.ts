/** One of each entry and of each record that there is, always the same, for the golden bytes. */
import { createHash } from 'node:crypto';
import type { StreamBodies } from '../../lib/crdt/bodies.ts';
import { toHex } from '../../lib/crdt/bytes.ts';
import { SigningKey, type RandomBytes } from '../../lib/crdt/keys.ts';
import type { TABLES } from '../../lib/crdt/records.ts';
import type { StreamName } from '../../lib/crdt/stream.ts';

export const fill = (length: number, value: number): Uint8Array =>
  new Uint8Array(length).fill(value);
/** Bytes that look random and are always the same. */
export const fixed =
  (label: string): RandomBytes =>
  (length) =>
    Uint8Array.from(createHash('shake256', { outputLength: length }).update(label).digest());

export const SERVER = new SigningKey(fixed('server')(32));
export const DEVICE = new SigningKey(fixed('device')(32));
export const OTHER = new SigningKey(fixed('other')(32));
export const SALT = fixed('salt')(16);
export const ALICE = 'a'.repeat(32);
export const BOB = 'b'.repeat(32);
export const ID = fixed('id')(32);
const CALL = 'c'.repeat(32);
const BOX = fill(80, 7);
const keyring = { generation: 3, box: fill(32, 1), sign: OTHER.public };
const device = { sealing: fill(32, 2), label: 'laptop' };
const password = { key: fill(32, 3), wrap: BOX };
const CODE = { verifier: OTHER.public, uses: 3, expires: 1_700_000_000_555 };
const CODE_RECORD = { uses: 2, expires: 1_700_000_000_555, issuer: ALICE };
const REDEMPTION = { verifier: OTHER.public, proof: fill(64, 4) };

export const SAMPLES: {
  readonly [Type in keyof StreamBodies]: Readonly<Record<keyof StreamBodies[Type], unknown>>;
} = {
  space: {
    server: {
      name: 'acme',
      groups: {
        admin: { level: 100, permissions: ['createRoom'] },
        user: { level: 0, permissions: [] },
      },
      lobby: 'lobby',
    },
    account: { name: 'Zoë', device, keyring, password },
    device: { account: ALICE, device, generation: 3, proof: fill(64, 4) },
    revoke: {
      device: OTHER.public,
      keyring,
      wraps: [[DEVICE.public, BOX]],
      password: BOX,
      previous: fill(72, 5),
    },
    password: { password },
    reset: { account: BOB, verifier: fill(32, 6) },
    recover: {
      account: BOB,
      code: 'one-time',
      device,
      keyring,
      wraps: [[DEVICE.public, BOX]],
      password,
    },
    setgroup: { account: BOB, group: 'admin' },
    creategroup: { name: 'crew', level: 50 },
    updategroup: { name: 'crew', add: ['createRoom', 'sendMessage'], remove: ['broadcast'] },
    removegroup: { name: 'crew' },
    createuser: { name: 'Zoë', group: 'crew', keyring, password },
    updateuser: { account: BOB, name: 'Zoë' },
    removeuser: { account: BOB, vengeance: true },
    code: { purpose: 'signup', group: 'crew', ...CODE },
    elevate: REDEMPTION,
    renameserver: { name: 'acme' },
    motd: { text: 'Grüße, 世界 🙂' },
    ban: { account: BOB, until: 1_700_000_000_999 },
    unban: { account: BOB },
    suppress: { account: BOB, on: true },
    room: { name: 'kitchen', private: true },
    updateroom: { room: ALICE, name: 'Küche' },
    removeroom: { room: ALICE },
    lock: { room: ALICE, lock: { keyring, password } },
    retire: { room: ALICE },
    owner: { room: ALICE, account: BOB },
    join: { room: ALICE },
    leave: { room: ALICE },
    expel: { room: ALICE, account: BOB },
  },
  room: {
    say: { text: 'Grüße, 世界 🙂' },
    sealed: { epoch: toHex(ID), box: fill(40, 8) },
    epoch: {
      number: 2,
      wraps: [
        [ALICE, 1, BOX],
        [BOB, 4, BOX],
      ],
    },
    members: { add: [ALICE], remove: [BOB] },
    edit: { target: toHex(ID), text: 'Grüße' },
    remove: { target: toHex(ID) },
    react: { target: toHex(ID), emoji: '👍', on: true },
    call: { call: CALL, outcome: 'ended', seconds: 3_600, people: 4 },
    join: { by: { type: 'owner' } },
    leave: {},
    code: CODE,
  },
  pair: {
    request: {},
    cancel: {},
    accept: {},
    reject: {},
    befriend: {},
    unfriend: {},
    sealed: { epoch: toHex(ID), box: fill(40, 8) },
    epoch: {
      number: 1,
      wraps: [
        [ALICE, 1, BOX],
        [BOB, 4, BOX],
      ],
    },
    edit: { target: toHex(ID), epoch: toHex(ID), box: fill(40, 8) },
    remove: { target: toHex(ID) },
    react: { target: toHex(ID), epoch: toHex(ID), box: fill(40, 8) },
    call: { call: CALL, outcome: 'missed', caller: ALICE, seconds: 0, people: 1 },
  },
  account: {
    block: { account: BOB, blocked: true },
    read: { stream: 'room/lobby', until: 70_000, tell: true },
  },
};

/** What else the bodies of a kind may hold: by `<type>/<kind> <what>`. */
export const VARIANTS: Readonly<Record<string, unknown>> = {
  'space/account code': { name: 'Zoë', device, keyring, password: null, code: REDEMPTION },
  'space/password renewal': {
    password,
    renewal: { keyring, wraps: [[DEVICE.public, BOX]], previous: fill(72, 5) },
  },
  'space/updategroup all': { name: 'crew', add: [], remove: [], level: 7, fileLimit: 70_000 },
  'space/updateuser display': { account: BOB, display: 'Zoë Ä.' },
  'space/code elevate': { purpose: 'elevate', group: 'crew', ...CODE },
  'space/ban room': { account: BOB, room: 'lobby', until: 0 },
  'space/unban room': { account: BOB, room: 'lobby' },
  'space/suppress room': { account: BOB, room: 'lobby', on: false },
  'space/room all': {
    name: 'kitchen',
    private: true,
    parent: ALICE,
    media: 'voice',
    lifetime: 'temporary',
    lock: { keyring, password: null },
  },
  'space/updateroom all': { room: ALICE, parent: null, media: 'both', position: 3 },
  'space/updateroom parent': { room: ALICE, parent: BOB },
  'space/lock none': { room: ALICE, lock: null },
  'room/say all': {
    text: '',
    reply: toHex(ID),
    file: {
      hash: fill(32, 1),
      size: 70_000,
      name: 'ä/../b.png',
      type: 'image/png',
      key: fill(32, 2),
      width: 640,
      height: 480,
    },
  },
  'room/sealed blob': {
    epoch: toHex(ID),
    box: fill(40, 8),
    blob: { hash: fill(32, 1), size: 70_000 },
  },
  'room/edit moderator': { target: toHex(ID), moderator: true, text: 'Grüße' },
  'room/edit sealed': { target: toHex(ID), moderator: true, epoch: toHex(ID), box: fill(40, 8) },
  'room/remove moderator': { target: toHex(ID), moderator: true },
  'room/react sealed': { target: toHex(ID), epoch: toHex(ID), box: fill(40, 8) },
  'pair/call ended': { call: CALL, outcome: 'ended', caller: BOB, seconds: 70_000, people: 2 },
  'room/epoch lock': {
    number: 2,
    wraps: [[ALICE, 1, BOX]],
    lock: { holder: ALICE, generation: 4, box: BOX, secret: fill(72, 5) },
    above: { epoch: toHex(ID), box: fill(72, 4) },
    previous: [{ epoch: toHex(ID), box: fill(72, 6) }],
  },
  'room/epoch bare lock': {
    number: 2,
    wraps: [],
    lock: { holder: ALICE, generation: 4, box: null, secret: null },
  },
  'room/join lock': { by: { type: 'lock', generation: 4, proof: fill(64, 4) } },
  'room/join code': { by: { type: 'code', ...REDEMPTION } },
  'room/join word': { by: { type: 'word' } },
};

export const STREAMS: Record<keyof StreamBodies, StreamName> = {
  space: 'space',
  room: 'room/lobby',
  pair: `pair/${ALICE}:${BOB}`,
  account: `account/${ALICE}`,
};

export const RECORDS: Readonly<Record<keyof typeof TABLES, readonly [id: string, value: unknown]>> =
  {
    server: ['server', { name: 'acme', created: 1_700_000_000_000 }],
    group: ['user', { level: 0, permissions: ['sendMessage'] }],
    account: [
      ALICE,
      { name: 'Zoë', group: 'user', created: 12, keyring, password: null, passwordVersion: 0 },
    ],
    name: ['zoë', ALICE],
    device: [
      DEVICE.public,
      { account: ALICE, sealing: fill(32, 2), label: 'laptop', time: 12, added: 3, revoked: false },
    ],
    keyring: [
      `${ALICE}:3`,
      { wraps: [[DEVICE.public, BOX]], password: BOX, previous: fill(72, 5) },
    ],
    room: ['lobby', { name: 'lobby', owner: null, lifetime: 'builtin', private: false }],
    roomname: ['lobby', 'lobby'],
    reset: [BOB, { verifier: fill(32, 6), time: 12 }],
    head: [DEVICE.public, { seq: 7, id: toHex(ID) }],
    clock: ['clock', 70_000],
    epoch: [toHex(ID), { number: 2, wraps: [[ALICE, 1, BOX]] }],
    epochs: ['current', toHex(ID)],
    member: [ALICE, true],
    owned: [`${ALICE}:${BOB}`, true],
    block: [BOB, true],
    request: [BOB, 1_700_000_000_789],
    contact: ['contact', 1_700_000_000_789],
    look: [toHex(fill(16, 1)), ALICE],
    roomlook: [`${ALICE}/${toHex(fill(16, 1))}`, BOB],
    lock: [`${ALICE}:4`, { keyring, password }],
    code: [OTHER.public, { ...CODE_RECORD, purpose: 'signup', group: 'crew' }],
    ban: [`${ALICE}:${BOB}`, 1_700_000_000_999],
    read: ['room/lobby', 70_000],
    suppress: [`${ALICE}:${BOB}`, true],
  };

/** What else the records of a table may hold: by `<table> <what>`. */
export const RECORD_VARIANTS: Readonly<Record<string, readonly [id: string, value: unknown]>> = {
  'server motd': ['server', { name: 'acme', created: 12, motd: 'Grüße' }],
  'group all': ['crew', { level: 50, permissions: [], fileLimit: 70_000 }],
  'account all': [
    ALICE,
    {
      name: 'Zoë',
      group: 'user',
      created: 12,
      keyring,
      password: fill(32, 3),
      passwordVersion: 3,
      display: 'Zoë Ä.',
      mustChange: true,
      removed: true,
      erased: true,
    },
  ],
  'room all': [
    ALICE,
    {
      name: 'kitchen',
      owner: BOB,
      lifetime: 'conference',
      private: true,
      parent: BOB,
      media: 'voice',
      position: 3,
      lock: { generation: 4, password: true, retired: false },
    },
  ],
  'lock bare': [`${ALICE}:4`, { keyring, password: null }],
  'code join': [OTHER.public, { ...CODE_RECORD, purpose: 'join' }],
  'epoch lock': [toHex(ID), VARIANTS['room/epoch lock']],
};
