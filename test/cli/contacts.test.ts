/** Contacts, by the real program: who asks whom, and what both are told. */
import assert from 'node:assert/strict';
import type { Cli, Data } from '../support/cli.ts';
import { workshop } from '../support/workshop.ts';

const SECRET = { password: 'a secret of some length' };

describe('contacts', function () {
  this.timeout(60_000);
  const shop = workshop();
  let address: string;

  before(async () => {
    ({ address } = await shop.server({ name: 'friends' }));
  });

  const contacts = async (cli: Cli): Promise<string[]> =>
    (await cli.ok('contacts'))['contacts'] as string[];
  const requests = async (cli: Cli): Promise<unknown> => (await cli.ok('requests'))['requests'];
  const nobody = { incoming: [], outgoing: [] };

  it('are asked and accept: both sides are told', async () => {
    const [ann, ben] = await shop.clients(address, ['ann', 'ben']);
    const data: Data = await ann.ok('request ben');
    assert.deepEqual([data.user, data.state], ['ben', 'pending']);
    await ben.event('request', { user: 'ann', direction: 'incoming', state: 'pending' });
    assert.deepEqual(await requests(ann), { incoming: [], outgoing: ['ben'] });
    assert.deepEqual(await requests(ben), { incoming: ['ann'], outgoing: [] });
    assert.equal(await ann.refused('request ben'), 'ALREADY');
    assert.equal(await ann.refused('accept ben'), 'NO_REQUEST');
    assert.equal(await ben.refused('cancel ann'), 'NO_REQUEST');
    assert.equal(await ann.refused('unfriend ben'), 'NOT_CONTACT');
    await ben.ok('accept ann');
    await ann.event('contact', { user: 'ben' });
    for (const [cli, other] of [
      [ann, 'ben'],
      [ben, 'ann'],
    ] as const) {
      assert.deepEqual(await contacts(cli), [other]);
      assert.deepEqual(await requests(cli), nobody);
      assert.equal(await cli.refused(`request ${other}`), 'ALREADY');
    }
    await ann.ok('unfriend ben');
    await ben.event('unfriend', { user: 'ann' });
    assert.deepEqual([await contacts(ann), await contacts(ben)], [[], []]);
    // Nothing of it is a message.
    assert.deepEqual((await ann.ok('history @ben')).messages, []);
    assert.equal(await ann.refused('request nobody-here'), 'NO_SUCH_USER');
    assert.equal(await ann.refused('request ann'), 'SELF');
    await ann.quit();
    await ben.quit();
  });

  it('may be rejected or withdrawn, and asked again', async () => {
    const [cat, dan] = await shop.clients(address, ['cat', 'dan']);
    await cat.ok('request dan');
    await dan.event('request', { user: 'cat' });
    await dan.ok('reject cat');
    await cat.event('request', { user: 'dan', direction: 'outgoing', state: 'rejected' });
    assert.deepEqual([await requests(cat), await requests(dan)], [nobody, nobody]);
    await cat.ok('request dan');
    await cat.ok('cancel dan');
    await dan.event('request', { user: 'cat', direction: 'incoming', state: 'cancelled' });
    assert.deepEqual([await requests(cat), await requests(dan)], [nobody, nobody]);
    assert.equal(await dan.refused('accept cat'), 'NO_REQUEST');
    await cat.quit();
    await dan.quit();
  });

  it('become so where two ask each other', async () => {
    const [eve, fay] = await shop.clients(address, ['eve', 'fay']);
    const answers = await Promise.all([eve.ok('request fay'), fay.ok('request eve')]);
    assert.ok(answers.every(({ state }) => state === 'pending' || state === 'accepted'));
    await eve
      .until(() => (eve.events('contact').length > 0 ? true : undefined), 'contact', 3_000)
      .catch(() => fay.event('contact', { user: 'eve' }));
    assert.deepEqual([await contacts(eve), await contacts(fay)], [['fay'], ['eve']]);
    assert.deepEqual([await requests(eve), await requests(fay)], [nobody, nobody]);
    await eve.quit();
    await fay.quit();
  });

  it('are asked while they are away, and told at their next login, on every device', async () => {
    const data = await shop.newDirectory();
    await (await shop.client(address, 'gil', { ...SECRET, data })).quit();
    const hal = await shop.client(address, 'hal');
    await hal.ok('message gil written before');
    await hal.ok('request gil');
    const gil = await shop.client(address, 'gil', { ...SECRET, data });
    await gil.event('request', { user: 'hal', direction: 'incoming', state: 'pending' });
    await gil.event('message', { text: 'written before' });
    // Requests come before messages, whenever they were made.
    const order = gil.lines.flatMap((line) => (line.type === 'event' ? [line.event] : []));
    assert.ok(order.indexOf('request') < order.indexOf('message'), order.join());
    const second = await shop.client(address, 'gil', SECRET);
    assert.deepEqual(await requests(second), { incoming: ['hal'], outgoing: [] });
    await second.ok('accept hal');
    await gil.event('contact', { user: 'hal' });
    await hal.event('contact', { user: 'gil' });
    // Told once: not again at the next start.
    await gil.quit();
    const again = await shop.client(address, 'gil', { ...SECRET, data });
    assert.deepEqual(await contacts(again), ['hal']);
    assert.deepEqual([again.events('request'), again.events('contact')], [[], []]);
    for (const cli of [again, second, hal]) await cli.quit();
  });

  it('are made at once by the password of the other, which is counted as at a login', async () => {
    const ivy = await shop.client(address, 'ivy', SECRET);
    const joe = await shop.client(address, 'joe');
    assert.equal(await joe.refused('request ivy wrong-password'), 'BAD_PASSWORD');
    const data = await joe.ok(`request ivy ${SECRET.password}`);
    assert.equal(data.state, 'accepted');
    await ivy.event('contact', { user: 'joe' });
    assert.deepEqual([await contacts(joe), await contacts(ivy)], [['ivy'], ['joe']]);
    // It opens no session, and gives no rights over the account.
    assert.equal((await joe.ok('self')).user, 'joe');
    assert.equal((await ivy.ok('devices')).devices?.length, 1);
    const kim = await shop.client(address, 'kim');
    for (let attempt = 1; attempt <= 3; attempt++)
      assert.equal(await kim.refused('request ivy wrong-password'), 'BAD_PASSWORD');
    assert.equal(await kim.refused(`request ivy ${SECRET.password}`), 'LOCKED');
    assert.deepEqual(await contacts(kim), []);
    // The account is locked, not whoever tried.
    assert.deepEqual(kim.events('locked'), []);
    for (const cli of [ivy, joe, kim]) await cli.quit();
  });

  it('are suspended by a block, and there again without', async () => {
    const [liz, max] = await shop.clients(address, ['liz', 'max']);
    await liz.ok('request max');
    await max.event('request', { user: 'liz' });
    await max.ok('accept liz');
    await liz.event('contact', { user: 'max' });
    await liz.ok('block max');
    assert.deepEqual(await contacts(liz), []);
    assert.deepEqual(await contacts(max), ['liz']);
    assert.equal(await max.refused('unfriend liz'), 'BLOCKED');
    await liz.ok('unblock max');
    assert.deepEqual(await contacts(liz), ['max']);
    await liz.quit();
    await max.quit();
  });
});
