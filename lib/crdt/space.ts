/** Rules of the space stream: accounts and their devices here; see also `people.ts` and `rooms.ts`. */
import { createHash } from 'node:crypto';
import type { SpaceAction } from './bodies.ts';
import { concat, equal, fromHex, utf8 } from './bytes.ts';
import { encode } from './codec.ts';
import { usedChange } from './codes.ts';
import type { ErrorCode } from '../errors.ts';
import { verify, type AccountId, type PublicKey } from './keys.ts';
import { isKeyable } from './naming.ts';
import { checkPeople, groupByCode, isNameFree, nameChanges, reducePeople } from './people.ts';
import { ADMIN_GROUP, USER_GROUP } from './permissions.ts';
import {
  accountOf,
  activeDevices,
  deviceOf,
  groupOf,
  presentAccount,
  type AccountRecord,
  type CodeRecord,
  type DeviceRecord,
  type KeyringRecord,
  type ResetRecord,
  type RoomRecord,
  type ServerRecord,
} from './records.ts';
import { isLastAdmin, levelOf } from './rights.ts';
import { checkRooms, isRoomsAction, reduceRooms, roomChanges } from './room-rules.ts';
import type { Context } from './rules.ts';
import type { Change } from './state.ts';
import { LOBBY } from './stream.ts';
import { checkSuppress, reduceSuppress } from './suppress.ts';

const DEVICE_TAG = 'clchat device v1';
/** Most devices an account may have at a time. */
export const MAX_DEVICES = 64;
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
  const { space, entry, actor, now } = context;
  switch (action.kind) {
    case 'server':
      return space.get<ServerRecord>('server', 'server') === undefined ? undefined : 'ALREADY';
    case 'account': {
      const { body } = action;
      if (!isKeyable(body.name)) return 'BAD_NAME';
      if (!isNameFree(space, body.name)) return 'NAME_TAKEN';
      if (body.code !== undefined && groupByCode(body.code, 'signup', context) === undefined)
        return 'BAD_CODE';
      return body.keyring.generation === 1 ? undefined : 'BAD_ENTRY';
    }
    case 'device': {
      const { body } = action;
      const account = presentAccount(space, body.account);
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
      // Without a password nobody could log in to the account any more.
      const isLost = rest.length === 0 && account.password === null;
      if (isLost && isLastAdmin(space, actor, now)) return 'LAST_ADMIN';
      return reachesExactly(body.wraps, rest) ? undefined : 'STALE_KEY';
    }
    case 'password': {
      const { renewal } = action.body;
      const account = actor === undefined ? undefined : accountOf(space, actor);
      if (actor === undefined || account === undefined) return 'NOT_LOGGED_IN';
      // Whoever made the first password knows the keyring that it opens.
      if (renewal === undefined) return account.mustChange === true ? 'MUST_CHANGE' : undefined;
      if (renewal.keyring.generation !== account.keyring.generation + 1) return 'STALE_KEY';
      return reachesExactly(renewal.wraps, activeDevices(space, actor)) ? undefined : 'STALE_KEY';
    }
    case 'reset': {
      if (presentAccount(space, action.body.account) === undefined) return 'NO_SUCH_USER';
      if (actor === undefined || groupOf(space, actor) === undefined) return 'DENIED';
      if (accountOf(space, actor)?.group !== ADMIN_GROUP) return 'DENIED';
      return levelOf(space, action.body.account) <= levelOf(space, actor) ? undefined : 'DENIED';
    }
    case 'recover': {
      const { body } = action;
      const account = presentAccount(space, body.account);
      const reset = space.get<ResetRecord>('reset', body.account);
      if (account === undefined || reset === undefined) return 'BAD_CODE';
      if (!equal(codeVerifier(body.code), reset.verifier)) return 'BAD_CODE';
      if (actor !== undefined && actor !== body.account) return 'DENIED';
      if (body.keyring.generation !== account.keyring.generation + 1) return 'STALE_KEY';
      const devices = activeDevices(space, body.account);
      const all = devices.includes(entry.device) ? devices : [...devices, entry.device].sort();
      return reachesExactly(body.wraps, all) ? undefined : 'STALE_KEY';
    }
    case 'suppress':
      return checkSuppress(action.body, context);
    default:
      return isRoomsAction(action) ? checkRooms(action, context) : checkPeople(action, context);
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
        ...roomChanges(LOBBY, room),
        ...Object.entries(groups).map(([id, value]) => ({ table: 'group', id, value })),
      ];
    }
    case 'account': {
      const { name, device, keyring, password } = action.body;
      const id = entry.id.slice(0, 32) as AccountId;
      const { code } = action.body;
      const invited =
        code === undefined ? undefined : space.get<CodeRecord>('code', code.verifier)?.group;
      const account: AccountRecord = {
        name,
        group: invited ?? USER_GROUP,
        created: entry.time,
        keyring,
        password: password?.key ?? null,
        passwordVersion: password === null ? 0 : 1,
      };
      return [
        { table: 'account', id, value: account },
        ...nameChanges(id, name, id),
        ...(code === undefined ? [] : usedChange(space, code.verifier)),
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
      const { renewal } = action.body;
      const { key, wrap } = action.body.password;
      const { mustChange: _done, ...rest } = account;
      const value: AccountRecord = {
        ...rest,
        ...(renewal === undefined ? {} : { keyring: renewal.keyring }),
        password: key,
        passwordVersion: account.passwordVersion + 1,
      };
      if (renewal !== undefined) {
        const { keyring: fresh, wraps, previous } = renewal;
        return [
          { table: 'account', id: actor, value },
          keyringChange(actor, fresh.generation, { wraps, password: wrap, previous }),
        ];
      }
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
      const { mustChange: _done, ...rest } = account;
      const value: AccountRecord = {
        ...rest,
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
    case 'suppress':
      return reduceSuppress(action.body);
    default:
      return isRoomsAction(action) ? reduceRooms(action, context) : reducePeople(action, context);
  }
}
