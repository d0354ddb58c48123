/** Commands over the product's own client and server, on the simulated network. */
import assert from 'node:assert/strict';
import { newPassword, newSecret } from '../../lib/app/handlers.ts';
import type { Ask } from '../../lib/app/types.ts';
import { eventually } from '../support/channels.ts';
import { contextOf } from '../support/commands.ts';
import { HANDLERS } from '../support/handlers.ts';
import { World, type TestClient } from '../support/roles.ts';

/** Somebody who gives these secrets, one after the other. */
function secrets(...answers: string[]): { ask: Ask; asked: string[] } {
  const asked: string[] = [];
  const secret = async (question: string): Promise<string> => {
    asked.push(question);
    return answers.shift() ?? assert.fail(`"${question}" was asked`);
  };
  return { asked, ask: { secret } as unknown as Ask };
}

describe('the command revoke', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.start();
  });
  afterEach(() => world.stop());

  it('takes the beginning of an id, and names the devices that are meant otherwise', async () => {
    const first = await world.join('alice', 'secret', { label: 'desk' });
    for (let i = 0; i < 2; i++) {
      const device = await world.client({ label: 'lap\u001b[2Jtop' });
      await device.client.connect();
      await device.client.loginPassword('alice', 'secret');
    }
    await eventually('all devices', () => first.home.devices().length === 3);
    const call = (name: string, args: Record<string, string> = {}) => run(first, name, args);
    const { devices } = (await call('devices')) as { devices: { id: string; label: string }[] };
    const [one, two] = devices.filter(({ label }) => label !== 'desk');
    assert.ok(one !== undefined && two !== undefined);
    await assert.rejects(
      call('revoke', { device: one.label }),
      (error: Error & { code: string }) => {
        for (const { id } of [one, two])
          assert.ok(error.message.includes(`${id} (`), error.message);
        return error.code === 'AMBIGUOUS';
      },
    );
    await assert.rejects(call('revoke', { device: '' }), { code: 'USAGE' });
    await assert.rejects(call('revoke', { device: 'zzzzzzzzz' }), { code: 'NO_SUCH_DEVICE' });
    let length = 1;
    while (devices.filter(({ id }) => id.startsWith(one.id.slice(0, length))).length > 1) length++;
    assert.equal((await call('revoke', { device: one.id.slice(0, length) }))['device'], one.id);
    await eventually('its end', () => first.home.devices().length === 2);
  });

  async function run(who: TestClient, name: string, args: Record<string, string>) {
    const handler = HANDLERS[name] ?? assert.fail(name);
    return handler(args, contextOf(who.client));
  }
});

describe('a new secret', () => {
  it('is asked for until it is the same twice', async () => {
    const { ask, asked } = secrets('one', 'two', 'one', 'one');
    assert.equal(await newSecret(ask, 'Passphrase'), 'one');
    assert.deepEqual(asked, [
      'Passphrase',
      'The same again',
      'That was not the same. Passphrase',
      'The same again',
    ]);
  });

  it('may be none only where that is said', async () => {
    assert.equal(await newPassword(secrets('').ask, true), '');
    const { ask, asked } = secrets('', 'x', 'x');
    assert.equal(await newPassword(ask, false), 'x');
    assert.equal(asked[1], 'It may not be empty. New password');
  });
});
