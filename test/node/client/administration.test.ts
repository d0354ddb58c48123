import assert from 'node:assert/strict';
import { accountOf } from '../../../lib/crdt/records.ts';
import { AdminStage, FakeMailer } from '../../support/admin-stage.ts';
import { eventually } from '../../support/channels.ts';
import type { TestClient } from '../../support/roles.ts';

describe('what a client asks of the server as an administrator', () => {
  let stage: AdminStage;
  let root: TestClient;
  let mailer: FakeMailer;

  beforeEach(async () => {
    mailer = new FakeMailer();
    stage = await AdminStage.open({ mailer });
    ({ root } = stage);
  });
  afterEach(() => stage.close());

  const dora = { name: 'dora', group: 'user', password: 'first' };

  it('makes an account that is here when it is answered', async () => {
    const { account, mailed } = await root.client.administration.createUser(dora);
    const { name, mustChange, keyring } = accountOf(root.home.space, account) ?? {};
    assert.deepEqual([name, mustChange, keyring?.generation], ['dora', true, 1]);
    assert.equal(mailed, false);
    const device = await stage.world.client();
    await device.client.connect();
    await device.client.loginPassword('dora', 'first');
    assert.equal(device.home.account, account);
  });

  it('comes after what was written before and between it, however fast', async () => {
    const { administration } = root.client;
    const set = (text: string) => stage.run(root, 'motd', { text });
    await Promise.all([set('one'), administration.createUser(dora), set('two')]);
    const more = administration.createUser({ ...dora, name: 'eve' });
    const [{ account }] = await Promise.all([more, set('three')]);
    assert.equal(accountOf(root.home.space, account)?.name, 'eve');
    assert.equal((await stage.run(root, 'motd'))['motd'], 'three');
    assert.deepEqual(root.refused, []);
  });

  it('tells the password to nobody but whoever mails it', async () => {
    await root.client.administration.createUser({ ...dora, email: 'dora@example.org' });
    assert.match(mailer.mails[0]?.text ?? '', /first/);
    await stage.close();
    stage = await AdminStage.open();
    ({ root } = stage);
    const asked: unknown[] = [];
    const { session } = root.client;
    const call = session.call.bind(session);
    session.call = (...args: Parameters<typeof call>) => {
      asked.push(args);
      return call(...args);
    };
    await root.client.administration.createUser({ ...dora, email: 'dora@example.org' });
    const [, request] = asked.find((one) => (one as unknown[])[0] === 'createUser') as [
      string,
      object,
    ];
    assert.deepEqual(Object.keys(request).sort(), ['email', 'entry', 'record']);
  });

  it('is not possible while the server is away', async () => {
    await stage.world.close();
    await eventually('its end', () => !root.client.connected);
    const { administration } = root.client;
    for (const ask of [
      () => administration.createUser(dora),
      () => administration.setEmail(root.home.account, null),
      () => administration.mailReset(root.home.account, 'AAAA'),
      () => administration.kick(root.home.account),
    ])
      await assert.rejects(async () => ask(), { code: 'NETWORK' });
    await stage.world.open();
  });
});
