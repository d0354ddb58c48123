/** Rules of the space stream: accounts, devices, groups and open rooms. */
import { createHash } from 'node:crypto';
import type { SpaceAction } from './bodies.ts';
import { concat, equal, fromHex, utf8 } from './bytes.ts';
import { encode } from './codec.ts';
import type { ErrorCode } from '../errors.ts';
import { verify, type AccountId, type PublicKey } from './keys.ts';
import { ADMIN_GROUP, USER_GROUP, type Permission } from './permissions.ts';
import {
  accountOf,
  activeDevices,
  deviceOf,
  groupOf,
  type AccountRecord,
  type DeviceRecord,
  type GroupRecord,
  type KeyringRecord,
  type ResetRecord,
  type RoomRecord,
  type ServerRecord,
} from './records.ts';
import type { Context } from './rules.ts';
import type { Change, Reader } from './state.ts';
import { LOBBY } from './stream.ts';
import { byteLength, fold } from '../text.ts';

const DEVICE_TAG = 'clchat device v1';
/** Most devices an account may have at a time. */
export const MAX_DEVICES = 64;
/**
 * Most bytes of a folded name. It becomes part of a key of the store, and folding makes more than
 * twice as much of some characters.
 */
const MAX_FOLDED_BYTES = 128;

function isKeyable(name: string): boolean {
  return byteLength(fold(name)) <= MAX_FOLDED_BYTES;
}

/** What the account's keyring key signs to vouch for a device. */
function deviceStatement(
  server: PublicKey,
  account: AccountId,
  device: PublicKey,
  sealing: Uint8Array,
  generation: number,
): Uint8Array {
  return concat(fromHex(server), fromHex(account), fromHex(device), sealing, encode(generation));
}

export { DEVICE_TAG, deviceStatement };

/** Hash by which a reset code is known without being told. */
export function codeVerifier(code: string): Uint8Array {
  return createHash('sha256')
    .update(utf8(`clchat reset code v1\0${code}`))
    .digest();
}

export function may(space: Reader, account: AccountId, permission: Permission): boolean {
  return groupOf(space, account)?.permissions.includes(permission) === true;
}

export function accountNamed(space: Reader, name: string): AccountId | undefined {
  return space.get<AccountId>('name', fold(name));
}

function levelOf(space: Reader, account: AccountId): number {
  return groupOf(space, account)?.level ?? 0;
}

function admins(space: Reader): number {
  let number = 0;
  for (const [, account] of space.entries<AccountRecord>('account'))
    if (account.group === ADMIN_GROUP) number++;
  return number;
}

/** Whether wraps reach exactly the devices that are to have the secret. */
function reachesExactly(
  wraps: readonly (readonly [PublicKey, Uint8Array])[],
  devices: readonly PublicKey[],
): boolean {
  const wrapped = wraps.map(([device]) => device).sort();
  return wrapped.length === devices.length && wrapped.every((key, i) => key === devices[i]);
}

/** @returns why the action is refused, undefined when it is allowed */
export function checkSpace(action: SpaceAction, context: Context): ErrorCode | undefined {
  const { space, entry, actor } = context;
  switch (action.kind) {
    case 'server':
      return space.get<ServerRecord>('server', 'server') === undefined ? undefined : 'ALREADY';
    case 'account': {
      const { body } = action;
      if (!isKeyable(body.name)) return 'BAD_NAME';
      if (accountNamed(space, body.name) !== undefined) return 'NAME_TAKEN';
      return body.keyring.generation === 1 ? undefined : 'BAD_ENTRY';
    }
    case 'device': {
      const { body } = action;
      const account = accountOf(space, body.account);
      if (account === undefined) return 'NO_SUCH_USER';
      if (body.generation !== account.keyring.generation) return 'STALE_KEY';
      const statement = deviceStatement(
        entry.server,
        body.account,
        entry.device,
        body.device.sealing,
        body.generation,
      );
      if (!verify(account.keyring.sign, DEVICE_TAG, statement, body.proof)) return 'DENIED';
      return activeDevices(space, body.account).length < MAX_DEVICES ? undefined : 'TOO_LARGE';
    }
    case 'revoke': {
      const { body } = action;
      const device = deviceOf(space, body.device);
      if (actor === undefined || device === undefined || device.account !== actor || device.revoked)
        return 'NO_SUCH_DEVICE';
      const account = accountOf(space, actor);
      if (account === undefined || body.keyring.generation !== account.keyring.generation + 1)
        return 'STALE_KEY';
      if ((account.password === null) !== (body.password === null)) return 'BAD_ENTRY';
      const rest = activeDevices(space, actor).filter((key) => key !== body.device);
      return reachesExactly(body.wraps, rest) ? undefined : 'STALE_KEY';
    }
    case 'password':
      return undefined;
    case 'reset': {
      if (accountOf(space, action.body.account) === undefined) return 'NO_SUCH_USER';
      if (actor === undefined || groupOf(space, actor) === undefined) return 'DENIED';
      if (accountOf(space, actor)?.group !== ADMIN_GROUP) return 'DENIED';
      return levelOf(space, action.body.account) <= levelOf(space, actor) ? undefined : 'DENIED';
    }
    case 'recover': {
      const { body } = action;
      const account = accountOf(space, body.account);
      const reset = space.get<ResetRecord>('reset', body.account);
      if (account === undefined || reset === undefined) return 'BAD_CODE';
      if (!equal(codeVerifier(body.code), reset.verifier)) return 'BAD_CODE';
      if (actor !== undefined && actor !== body.account) return 'DENIED';
      if (body.keyring.generation !== account.keyring.generation + 1) return 'STALE_KEY';
      const devices = activeDevices(space, body.account);
      const all = devices.includes(entry.device) ? devices : [...devices, entry.device].sort();
      return reachesExactly(body.wraps, all) ? undefined : 'STALE_KEY';
    }
    case 'setgroup': {
      const { account, group } = action.body;
      const target = accountOf(space, account);
      if (target === undefined) return 'NO_SUCH_USER';
      const to = space.get<GroupRecord>('group', group);
      if (to === undefined) return 'USAGE';
      // The server's own key makes the first admin, and nobody else, at its own console.
      if (entry.device === entry.server)
        return group === ADMIN_GROUP && admins(space) === 0 ? undefined : 'DENIED';
      if (actor === undefined || !may(space, actor, 'setUserGroup')) return 'DENIED';
      const level = levelOf(space, actor);
      if (to.level > level || levelOf(space, account) > level) return 'DENIED';
      return target.group === ADMIN_GROUP && group !== ADMIN_GROUP && admins(space) === 1
        ? 'DENIED'
        : undefined;
    }
    case 'room': {
      if (actor === undefined || !may(space, actor, 'createRoom')) return 'DENIED';
      if (!isKeyable(action.body.name)) return 'BAD_NAME';
      return space.get('roomname', fold(action.body.name)) === undefined ? undefined : 'NAME_TAKEN';
    }
    default:
      return action satisfies never;
  }
}

function deviceChange(
  context: Context,
  account: AccountId,
  device: { sealing: Uint8Array; label: string },
): Change {
  const known = deviceOf(context.space, context.entry.device);
  const value: DeviceRecord = {
    account,
    sealing: device.sealing,
    label: device.label,
    time: context.entry.time,
    added: known?.added ?? context.position,
    revoked: false,
  };
  return { table: 'device', id: context.entry.device, value };
}

function keyringChange(account: AccountId, generation: number, value: KeyringRecord): Change {
  return { table: 'keyring', id: `${account}:${generation}`, value };
}

/** The changes of an allowed action. Total: what it does not find, it does not change. */
export function reduceSpace(action: SpaceAction, context: Context): Change[] {
  const { space, entry, actor } = context;
  switch (action.kind) {
    case 'server': {
      const { name, groups, lobby } = action.body;
      const server: ServerRecord = { name, created: entry.time };
      const room: RoomRecord = { name: lobby, owner: null, lifetime: 'builtin', private: false };
      return [
        { table: 'server', id: 'server', value: server },
        { table: 'room', id: LOBBY, value: room },
        { table: 'roomname', id: fold(lobby), value: LOBBY },
        ...Object.entries(groups).map(([id, value]) => ({ table: 'group', id, value })),
      ];
    }
    case 'account': {
      const { name, device, keyring, password } = action.body;
      const id = entry.id.slice(0, 32) as AccountId;
      const account: AccountRecord = {
        name,
        group: USER_GROUP,
        created: entry.time,
        keyring,
        password: password?.key ?? null,
        passwordVersion: password === null ? 0 : 1,
      };
      return [
        { table: 'account', id, value: account },
        { table: 'name', id: fold(name), value: id },
        deviceChange(context, id, device),
        keyringChange(id, 1, { wraps: [], password: password?.wrap ?? null, previous: null }),
      ];
    }
    case 'device':
      return [deviceChange(context, action.body.account, action.body.device)];
    case 'revoke': {
      const { device, keyring, wraps, password, previous } = action.body;
      const record = deviceOf(space, device);
      const account = actor === undefined ? undefined : accountOf(space, actor);
      if (record === undefined || account === undefined || actor === undefined) return [];
      return [
        { table: 'device', id: device, value: { ...record, revoked: true } },
        { table: 'account', id: actor, value: { ...account, keyring } },
        keyringChange(actor, keyring.generation, { wraps, password, previous }),
      ];
    }
    case 'password': {
      const account = actor === undefined ? undefined : accountOf(space, actor);
      if (account === undefined || actor === undefined) return [];
      const id = `${actor}:${account.keyring.generation}`;
      const keyring = space.get<KeyringRecord>('keyring', id);
      const { key, wrap } = action.body.password;
      const value: AccountRecord = {
        ...account,
        password: key,
        passwordVersion: account.passwordVersion + 1,
      };
      return [
        { table: 'account', id: actor, value },
        ...(keyring === undefined
          ? []
          : [{ table: 'keyring', id, value: { ...keyring, password: wrap } }]),
      ];
    }
    case 'reset': {
      const { account, verifier } = action.body;
      return [{ table: 'reset', id: account, value: { verifier, time: entry.time } }];
    }
    case 'recover': {
      const { account: id, device, keyring, wraps, password } = action.body;
      const account = accountOf(space, id);
      if (account === undefined) return [];
      const value: AccountRecord = {
        ...account,
        keyring,
        password: password.key,
        passwordVersion: account.passwordVersion + 1,
      };
      return [
        { table: 'reset', id, value: undefined },
        { table: 'account', id, value },
        deviceChange(context, id, device),
        keyringChange(id, keyring.generation, { wraps, password: password.wrap, previous: null }),
      ];
    }
    case 'setgroup': {
      const account = accountOf(space, action.body.account);
      if (account === undefined) return [];
      const value: AccountRecord = { ...account, group: action.body.group };
      return [{ table: 'account', id: action.body.account, value }];
    }
    case 'room': {
      const id = entry.id.slice(0, 32);
      const room: RoomRecord = {
        name: action.body.name,
        owner: actor ?? null,
        lifetime: 'permanent',
        private: action.body.private,
      };
      return [
        { table: 'room', id, value: room },
        { table: 'roomname', id: fold(room.name), value: id },
      ];
    }
    default:
      return action satisfies never;
  }
}
