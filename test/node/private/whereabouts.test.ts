import assert from 'node:assert/strict';
import type { AccountId, PublicKey } from '../../../lib/crdt/keys.ts';
import type { Reader } from '../../../lib/crdt/state.ts';
import type { Relay } from '../../../lib/node/channel.ts';
import { ClchatError } from '../../../lib/errors.ts';
import { Whereabouts, type Session } from '../../../lib/node/private/whereabouts.ts';
import { anyKey } from '../../support/channels.ts';

const account = (number: number): AccountId => number.toString(16).padStart(32, '0') as AccountId;

describe('where others are', () => {
  const owners = new Map<PublicKey, AccountId>();
  const space = {
    get: (_table: string, device: PublicKey) => {
      const owner = owners.get(device);
      return owner === undefined ? undefined : { account: owner, revoked: false };
    },
  } as unknown as Reader;
  const newDevice = (of: AccountId): PublicKey => {
    const { public: key } = anyKey();
    owners.set(key, of);
    return key;
  };
  let isThere: boolean;
  let answer: (of: AccountId) => unknown;
  let relay: Relay | undefined;
  let whereabouts: Whereabouts;

  beforeEach(() => {
    owners.clear();
    isThere = true;
    const session = {
      call: async (_method: string, request: { account: AccountId }) => answer(request.account),
    } as unknown as Session;
    relay = undefined;
    whereabouts = new Whereabouts(
      () => (isThere ? session : undefined),
      () => relay,
    );
  });

  const refuse = (code: 'OFFLINE' | 'CLOSED' | 'TIMEOUT' | 'BLOCKED'): void => {
    answer = () => {
      throw new ClchatError(code);
    };
  };

  it('may be found out by a relay, those without an address only there', async () => {
    const [near, far] = [newDevice(account(1)), newDevice(account(1))];
    answer = () => ({
      devices: [
        { device: near, addresses: ['192.0.2.1:4000'] },
        { device: far, addresses: [] },
      ],
    });
    assert.deepEqual(
      (await whereabouts.of(account(1), space)).map(({ key }) => key),
      [near],
    );
    relay = { key: anyKey().public, addresses: ['192.0.2.9:4000'] };
    assert.deepEqual(await whereabouts.of(account(1), space), [
      { key: near, addresses: ['192.0.2.1:4000'], via: [relay] },
      { key: far, addresses: [], via: [relay] },
    ]);
  });

  it('is told by the server, and remembered while it is away', async () => {
    const device = newDevice(account(1));
    answer = () => ({ devices: [{ device, addresses: ['192.0.2.1:4000'] }] });
    const target = [{ key: device, addresses: ['192.0.2.1:4000'] }];
    assert.deepEqual(await whereabouts.of(account(1), space), target);
    isThere = false;
    assert.deepEqual(await whereabouts.of(account(1), space), target);
    await assert.rejects(whereabouts.of(account(2), space), { code: 'NETWORK' });
    isThere = true;
    for (const code of ['CLOSED', 'TIMEOUT'] as const) {
      refuse(code);
      assert.deepEqual(await whereabouts.of(account(1), space), target, code);
    }
  });

  it('is not what was remembered where the server says that they are not there', async () => {
    const device = newDevice(account(1));
    answer = () => ({ devices: [{ device, addresses: ['192.0.2.1:4000'] }] });
    await whereabouts.of(account(1), space);
    for (const code of ['OFFLINE', 'BLOCKED'] as const) {
      refuse(code);
      await assert.rejects(whereabouts.of(account(1), space), { code });
      await whereabouts.note(account(1));
    }
  });

  it('is not believed of a device of somebody else', async () => {
    const device = newDevice(account(2));
    answer = () => ({
      devices: [
        { device, addresses: ['192.0.2.1:4000'] },
        { device: anyKey().public, addresses: ['192.0.2.1:4000'] },
      ],
    });
    await assert.rejects(whereabouts.of(account(1), space), { code: 'NETWORK' });
  });

  it('is nowhere where no address is told', async () => {
    answer = () => ({ devices: [] });
    await assert.rejects(whereabouts.of(account(1), space), {
      code: 'NETWORK',
      message: /cannot be reached directly/,
    });
  });

  it('is remembered of so many', async () => {
    answer = () => ({ devices: [] });
    for (let number = 0; number < 100; number++) await whereabouts.note(account(number));
    assert.equal(whereabouts.size, 64);
  });
});
