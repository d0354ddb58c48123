/** Conferences, by the real program: every rule of who begins, joins, leaves and ends them. */
import assert from 'node:assert/strict';
import type { Cli, CliEvent, Data } from '../support/cli.ts';
import { freePort, workshop } from '../support/workshop.ts';

const SECRET = { password: 'a secret of some length' };

interface Conference {
  readonly id: string;
  readonly name: string;
  readonly owner?: string;
  readonly state: string;
  readonly participants: string[];
  readonly away?: string[];
  readonly here?: boolean;
  readonly reason?: string;
}

const of = (data: Data): Conference => data['conference'] as Conference;

async function conferences(cli: Cli): Promise<Conference[]> {
  return (await cli.ok('conferences'))['conferences'] as Conference[];
}

/** Names of those in a conference that this account can see; undefined: it sees none of that name. */
async function seen(cli: Cli, name: string): Promise<string[] | undefined> {
  return (await conferences(cli)).find((one) => one.name === name)?.participants;
}

/** Somebody did something in a conference. */
function change(name: string, user: string, kind: string): (event: CliEvent) => boolean {
  return (event) => {
    const { change } = event as unknown as { change?: { user: string; kind: string } };
    return event['name'] === name && change?.user === user && change.kind === kind;
  };
}

function ended(name: string, reason: string): Record<string, unknown> {
  return { name, state: 'ended', reason };
}

async function befriend(one: Cli, other: Cli): Promise<void> {
  const [{ user: a }, { user: b }] = [await one.ok('self'), await other.ok('self')];
  await one.ok(`request ${b}`);
  await other.event('request', { user: a });
  await other.ok(`accept ${a}`);
  await one.event('contact', { user: b });
}

/** Whoever is out of a conference does not speak at the top unawares: only the second time. */
async function isAtTheTop(cli: Cli, line: string): Promise<void> {
  assert.equal(await cli.refused(line), 'NOT_IN_ROOM');
  assert.equal((await cli.ok(line))['room'], 'lobby');
}

describe('conferences', function () {
  this.timeout(120_000);
  const shop = workshop();
  let address: string;

  before(async () => {
    ({ address } = await shop.server({ name: 'meetings' }));
  });

  /** Text of the refusal of a command, whose code is also checked. */
  const refusal = async (cli: Cli, line: string, code: string): Promise<string> => {
    const result = await cli.ask(line);
    assert.deepEqual([result.ok, result.code], [false, code], `${line}: ${result.text}`);
    return result.text;
  };

  it('are begun with an id and an owner, and the contacts of the owner are told', async () => {
    const [ann, ben, cat] = await shop.clients(address, ['ann', 'ben', 'cat']);
    await befriend(ann, ben);
    const made = of(await ann.ok('conference tea'));
    assert.match(made.id, /^[0-9a-f]{32}$/);
    assert.deepEqual(
      [made.name, made.owner, made.state, made.participants],
      ['tea', 'ann', 'active', ['ann']],
    );
    const told = await ben.event('conference', change('tea', 'ann', 'joined'));
    assert.deepEqual(
      [told['id'], told['owner'], told['state'], told['participants']],
      [made.id, 'ann', 'active', ['ann']],
    );
    assert.deepEqual(await seen(ben, 'tea'), ['ann']);
    // Who is no contact of anybody in it does not see it.
    assert.deepEqual(await conferences(cat), []);
    assert.deepEqual(cat.events('conference'), []);
    for (const bad of ['a/b', '#tea', 'lobby', `${'x'.repeat(33)}`])
      assert.equal(await ann.refused(`conference ${bad}`), 'BAD_NAME');
    for (const cli of [ann, ben, cat]) await cli.quit();
  });

  it('are joined from a contact, and speak among those who are in them only', async () => {
    const [dan, eve, fay] = await shop.clients(address, ['dan', 'eve', 'fay']);
    await befriend(dan, eve);
    await dan.ok('conference tea');
    const joined = of(await eve.ok('joinconf dan'));
    assert.deepEqual(joined.participants, ['dan', 'eve']);
    await dan.event('conference', change('tea', 'eve', 'joined'));
    // Both have entered it.
    const said = await dan.ok('say welcome');
    assert.equal(said['room'], 'tea');
    await eve.event('message', { text: 'welcome', room: 'tea' });
    await eve.ok('say thank you');
    await dan.event('message', { text: 'thank you', room: 'tea' });
    assert.deepEqual(
      (await eve.ok('history')).messages?.map(({ text }) => text),
      ['welcome', 'thank you'],
    );
    // The room itself is nobody else's to see, by whatever name.
    assert.equal(await fay.refused('enter tea'), 'NO_SUCH_ROOM');
    assert.equal(await fay.refused(`joinconf #${joined.id}`), 'DENIED');
    assert.deepEqual(fay.texts({ room: 'tea' }), []);
    assert.equal((await eve.ok('leave'))['conference'], true, 'one still takes part');
    await eve.ok('say to the lobby');
    await dan.event('message', { text: 'to the lobby', room: 'lobby' });
    await eve.ok('enter tea');
    await eve.ok('say back again');
    await dan.event('message', { text: 'back again', room: 'tea' });
    for (const cli of [dan, eve, fay]) await cli.quit();
  });

  it('are several of one contact: the name says which', async () => {
    const [gil, hal] = await shop.clients(address, ['gil', 'hal']);
    await befriend(gil, hal);
    assert.match(await refusal(hal, 'joinconf gil', 'NO_SUCH_ROOM'), /gil is in no conference/);
    await gil.ok('conference tea');
    await gil.ok('conference cake');
    assert.match(await refusal(hal, 'joinconf gil', 'AMBIGUOUS'), /cake, tea/);
    assert.match(await refusal(hal, 'joinconf', 'AMBIGUOUS'), /cake.*tea/);
    assert.equal(await hal.refused('joinconf gil milk'), 'NO_SUCH_ROOM');
    assert.equal(of(await hal.ok('joinconf gil CAKE')).name, 'cake');
    // One is left that he is not in.
    assert.equal(of(await hal.ok('joinconf @gil')).name, 'tea');
    assert.equal(await hal.refused('joinconf gil'), 'ALREADY');
    // Somebody in several says which, or enters one.
    await hal.ok('leave');
    await hal.ok('leave');
    assert.match(await refusal(hal, 'leaveconf', 'AMBIGUOUS'), /cake, tea/);
    assert.equal(of(await hal.ok('leaveconf tea')).name, 'tea');
    assert.equal(of(await hal.ok('leaveconf')).name, 'cake');
    assert.equal(await hal.refused('leaveconf'), 'NOT_PARTICIPANT');
    // By its own name, and by its id.
    assert.equal(of(await hal.ok('joinconf tea')).name, 'tea');
    const { id } = (await conferences(hal)).find(({ name }) => name === 'cake')!;
    assert.equal(of(await hal.ok(`joinconf #${id.slice(0, 12)}`)).id, id);
    assert.equal(await hal.refused('joinconf nothing'), 'NO_SUCH_ROOM');
    assert.equal(await hal.refused('joinconf #0000000'), 'NO_SUCH_ROOM');
    assert.equal(await hal.refused('joinconf nobody-here tea'), 'NO_SUCH_USER');
    assert.equal(await hal.refused('joinconf hal tea'), 'SELF');
    for (const cli of [gil, hal]) await cli.quit();
  });

  it('are never two of one name for anybody', async () => {
    const [ivy, joe] = await shop.clients(address, ['ivy', 'joe']);
    await befriend(ivy, joe);
    await ivy.ok('conference tea');
    assert.equal(await ivy.refused('conference TEA'), 'NAME_CLASH');
    await joe.ok('conference tea');
    assert.equal(await joe.refused('joinconf ivy'), 'NAME_CLASH');
    await ivy.ok('conference cake');
    assert.equal(await ivy.refused('renameconf tea'), 'NAME_CLASH');
    await joe.ok('joinconf ivy cake');
    // Not the owner, but one of those in it is in another.
    await ivy.ok('leaveconf tea');
    await joe.event('conference', ended('tea', 'empty'));
    assert.match(await refusal(ivy, 'renameconf tea', 'NAME_CLASH'), /somebody else/);
    await ivy.ok('renameconf milk');
    const renamed = await joe.event('conference', change('milk', 'ivy', 'renamed'));
    assert.deepEqual(renamed['participants'], ['ivy', 'joe']);
    await ivy.ok('say under its new name');
    await joe.event('message', { text: 'under its new name', room: 'milk' });
    for (const cli of [ivy, joe]) await cli.quit();
  });

  it('are not begun twice by two lines at once', async () => {
    const kim = await shop.client(address, 'kim');
    const first = kim.send('conference tea', 'conference tea');
    const codes = [await kim.result(first - 1), await kim.result(first)].map(({ code }) => code);
    assert.deepEqual(codes, [undefined, 'NAME_CLASH']);
    assert.equal((await conferences(kim)).length, 1);
    await kim.quit();
  });

  it('are their owner’s to rename, give away and end', async () => {
    const [liz, max, nan] = await shop.clients(address, ['liz', 'max', 'nan']);
    await befriend(liz, max);
    for (const line of ['renameconf x', 'ownerconf max', 'endconf', 'inviteconf max'])
      assert.equal(await liz.refused(line), 'NOT_PARTICIPANT', line);
    await liz.ok('conference tea');
    await max.ok('joinconf liz');
    for (const line of ['renameconf x', 'ownerconf max', 'endconf'])
      assert.equal(await max.refused(line), 'NOT_OWNER', line);
    assert.equal(await liz.refused('renameconf tea'), 'ALREADY');
    assert.equal(await liz.refused('renameconf a/b'), 'BAD_NAME');
    assert.equal(await liz.refused('ownerconf nan'), 'NOT_PARTICIPANT');
    assert.equal(await liz.refused('ownerconf nobody-here'), 'NO_SUCH_USER');
    assert.equal(await liz.refused('ownerconf liz'), 'ALREADY');
    await liz.ok('ownerconf max');
    const given = await max.event('conference', change('tea', 'max', 'owner'));
    assert.equal(given['owner'], 'max');
    assert.equal(await liz.refused('endconf'), 'NOT_OWNER');
    // It goes on without whoever had it.
    await liz.ok('leaveconf');
    await max.event('conference', change('tea', 'liz', 'left'));
    assert.deepEqual(await seen(liz, 'tea'), ['max']);
    await liz.ok('joinconf max');
    await max.ok('endconf');
    await liz.event('conference', ended('tea', 'ended by its owner'));
    assert.deepEqual([await conferences(liz), await conferences(max)], [[], []]);
    // Whoever was in it is at the top again.
    await isAtTheTop(liz, 'say nowhere but here');
    assert.equal(await max.refused('enter tea'), 'NO_SUCH_ROOM');
    for (const cli of [liz, max, nan]) await cli.quit();
  });

  it('end when their owner leaves, and all are told', async () => {
    const [ned, ora, pat] = await shop.clients(address, ['ned', 'ora', 'pat']);
    await befriend(ned, ora);
    await befriend(ora, pat);
    for (const [how, reason] of [
      ['leaveconf', 'owner left'],
      ['logout', 'owner left'],
    ] as const) {
      await ned.ok('conference tea');
      await ora.ok('joinconf ned');
      await pat.ok('joinconf ora');
      await ned.ok(how);
      const count = ['leaveconf', 'logout'].indexOf(how) + 1;
      for (const cli of [ora, pat]) await cli.event('conference', ended('tea', reason), { count });
      await isAtTheTop(ora, 'say it is over');
      for (const cli of [ora, pat]) assert.deepEqual(await conferences(cli), []);
    }
    await ned.ok('login ned');
    await ned.ok('conference milk');
    await ora.ok('joinconf ned');
    // To end the program is to leave.
    await ned.quit();
    await ora.event('conference', ended('milk', 'owner left'));
    for (const cli of [ora, pat]) await cli.quit();
  });

  it('end with the last who is in them', async () => {
    const [quin, ron] = await shop.clients(address, ['quin', 'ron']);
    await befriend(quin, ron);
    const { id } = of(await quin.ok('conference tea'));
    await quin.ok('leaveconf');
    await ron.event('conference', ended('tea', 'empty'));
    assert.equal(await ron.refused(`joinconf #${id}`), 'NO_SUCH_ROOM');
    // The name is free again.
    await quin.ok('conference tea');
    for (const cli of [quin, ron]) await cli.quit();
  });

  it('take in the invited, and those who know the password', async () => {
    const [sal, tim, una] = await shop.clients(address, ['sal', 'tim', 'una']);
    await sal.ok('conference tea open sesame');
    const { id } = (await conferences(sal))[0]!;
    assert.equal(await tim.refused(`joinconf #${id}`), 'DENIED');
    assert.equal(await tim.refused('joinconf tea'), 'NO_SUCH_ROOM');
    assert.equal(await tim.refused(`joinconf #${id} --password "wrong one"`), 'BAD_PASSWORD');
    assert.deepEqual(await conferences(tim), []);
    const joined = of(await tim.ok('joinconf tea --password "open sesame"'));
    assert.deepEqual([joined.id, joined.participants], [id, ['sal', 'tim']]);
    await sal.event('conference', change('tea', 'tim', 'joined'));
    await sal.ok('say by the password');
    await tim.event('message', { text: 'by the password', room: 'tea' });
    // Any of those in it may invite.
    await tim.ok('inviteconf una');
    const invited = await una.event('conference', change('tea', 'tim', 'invited'));
    assert.deepEqual([invited['id'], invited['participants']], [id, ['sal', 'tim']]);
    assert.equal(await tim.refused('inviteconf una'), 'ALREADY');
    assert.equal(await tim.refused('inviteconf sal'), 'ALREADY');
    assert.equal(await tim.refused('inviteconf tim'), 'SELF');
    assert.equal(await tim.refused('inviteconf nobody-here'), 'NO_SUCH_USER');
    assert.deepEqual(of(await una.ok('joinconf')).participants, ['sal', 'tim', 'una']);
    await una.ok('say by invitation');
    for (const cli of [sal, tim])
      await cli.event('message', { text: 'by invitation', room: 'tea' });
    for (const cli of [sal, tim, una]) await cli.quit();
  });

  it('have one in the lobby, which everybody may join and nobody owns', async () => {
    const [vic, wes] = await shop.clients(address, ['vic', 'wes']);
    const joined = of(await vic.ok('joinconf #lobby'));
    assert.deepEqual([joined.id, joined.owner, joined.participants], ['lobby', undefined, ['vic']]);
    await wes.ok('joinconf #lobby');
    await vic.event('conference', change('lobby', 'wes', 'joined'));
    for (const line of ['renameconf x', 'ownerconf wes', 'endconf'])
      assert.equal(await vic.refused(line), 'NOT_OWNER', line);
    assert.equal(await vic.refused('inviteconf wes'), 'ALREADY');
    await vic.ok('leaveconf');
    await wes.event('conference', change('lobby', 'vic', 'left'));
    await wes.ok('leaveconf');
    // It never ends.
    await vic.ok('joinconf #lobby');
    for (const cli of [vic, wes]) await cli.quit();
  });

  it('are left to one device of an account, unless it asks for more', async () => {
    const [abe, bea] = await shop.clients(address, ['abe', 'bea'], SECRET);
    const second = await shop.client(address, 'bea', SECRET);
    await befriend(abe, bea);
    await second.event('contact', { user: 'abe' });
    await abe.ok('conference tea');
    await bea.ok('joinconf abe');
    assert.match(await refusal(second, 'joinconf abe', 'ALREADY'), /--device/);
    await abe.ok('say to one device');
    await bea.event('message', { text: 'to one device' });
    assert.deepEqual(of(await second.ok('joinconf abe --device')).participants, ['abe', 'bea']);
    assert.equal(await second.refused('joinconf abe --device'), 'ALREADY');
    await second.ok('say from the second');
    await abe.event('message', { text: 'from the second', room: 'tea' });
    // Who leaves on one stays on the other.
    await bea.ok('leaveconf');
    assert.match(await refusal(bea, 'leaveconf tea', 'NOT_PARTICIPANT'), /another device/);
    assert.deepEqual(await seen(abe, 'tea'), ['abe', 'bea']);
    assert.deepEqual(abe.events('conference', change('tea', 'bea', 'left')), []);
    await second.ok('leaveconf');
    await abe.event('conference', change('tea', 'bea', 'left'));
    for (const cli of [abe, bea, second]) await cli.quit();
  });

  it('throw nobody out for what becomes of contacts, but let nobody in by it any more', async () => {
    const [cal, deb, eli] = await shop.clients(address, ['cal', 'deb', 'eli']);
    await befriend(cal, deb);
    await befriend(cal, eli);
    await cal.ok('conference tea');
    await deb.ok('joinconf cal');
    await cal.ok('unfriend deb');
    await deb.event('unfriend', { user: 'cal' });
    assert.deepEqual(await seen(deb, 'tea'), ['cal', 'deb']);
    await deb.ok('say still here');
    await cal.event('message', { text: 'still here', room: 'tea' });
    await deb.ok('leaveconf');
    assert.equal(await deb.refused('joinconf cal'), 'NOT_CONTACT');
    const { id } = (await conferences(cal))[0]!;
    assert.equal(await deb.refused(`joinconf #${id}`), 'DENIED');
    await eli.ok('joinconf cal');
    await cal.ok('block eli');
    assert.deepEqual(await seen(eli, 'tea'), ['cal', 'eli']);
    await eli.ok('say still there');
    await cal.event('message', { text: 'still there', room: 'tea' });
    await eli.ok('leaveconf');
    assert.equal(await eli.refused('joinconf cal'), 'BLOCKED');
    assert.equal(await eli.refused(`joinconf #${id}`), 'BLOCKED');
    assert.deepEqual(await conferences(eli), []);
    for (const cli of [cal, deb, eli]) await cli.quit();
  });

  it('are shown at a login: after contacts, before messages', async () => {
    const data = await shop.newDirectory();
    const gus = await shop.client(address, 'gus', { ...SECRET, data });
    const [fin, hope] = await shop.clients(address, ['fin', 'hope']);
    await fin.ok('request gus');
    await gus.event('request', { user: 'fin' });
    await befriend(hope, gus);
    await gus.quit();
    await hope.ok('conference tea');
    await hope.ok('message gus written while you were away');
    // Whose request he has answered on no device is no contact: her conference is not shown.
    await fin.ok('conference milk');
    await fin.ok('cancel gus');
    await fin.ok('request gus');
    const again = await shop.client(address, 'gus', { ...SECRET, data });
    await again.event('message', { text: 'written while you were away' });
    const shown = again.events('conference');
    assert.deepEqual(
      shown.map(({ name, participants }) => [name, participants]),
      [['tea', ['hope']]],
    );
    const order = again.lines.flatMap((line) => (line.type === 'event' ? [line.event] : []));
    const at = (event: string): number => order.indexOf(event);
    assert.ok(at('request') >= 0 && at('request') < at('conference'), order.join());
    assert.ok(at('conference') < at('message'), order.join());
    await again.ok('joinconf hope');
    for (const cli of [fin, hope, again]) await cli.quit();
  });

  it('are out of reach of those who have been put out, and tell them nothing more', async () => {
    const [ida, jon] = await shop.clients(address, ['ida', 'jon']);
    await befriend(ida, jon);
    await ida.ok('conference tea');
    await jon.ok('joinconf ida');
    await ida.ok('kick jon');
    await jon.event('conference', change('tea', 'jon', 'kicked'));
    await ida.ok('say jon has gone');
    await isAtTheTop(jon, 'say in the lobby');
    await ida.event('message', { text: 'in the lobby' });
    assert.deepEqual(jon.texts({ room: 'tea' }), []);
    for (const cli of [ida, jon]) await cli.quit();
  });

  describe('when the connection of their owner is lost', function () {
    this.timeout(180_000);

    /** Somebody who has begun a conference, in which somebody else is. */
    const begun = async (
      owner: string,
      other: string,
    ): Promise<{ cli: Cli; witness: Cli; data: string }> => {
      const data = await shop.newDirectory();
      const [cli, witness] = await Promise.all([
        shop.client(address, owner, { data }),
        shop.client(address, other),
      ]);
      await befriend(cli, witness);
      await cli.ok('conference tea');
      await witness.ok(`joinconf ${owner}`);
      return { cli, witness, data };
    };

    const waits = async (witness: Cli, owner: string): Promise<void> => {
      const waiting = await witness.event('conference', change('tea', owner, 'lost'), {
        patience: 40_000,
      });
      assert.deepEqual([waiting['state'], waiting['away']], ['waiting', [owner]]);
    };

    /** Killed, and started again in time. */
    const returns = async (): Promise<void> => {
      const { cli, witness, data } = await begun('ken', 'leo');
      await cli.crash();
      await waits(witness, 'ken');
      const again = await shop.client(address, 'ken', { data });
      await witness.event('conference', change('tea', 'ken', 'back'));
      const [tea] = await conferences(again);
      assert.deepEqual(
        [tea?.owner, tea?.state, tea?.participants, tea?.here],
        ['ken', 'active', ['ken', 'leo'], true],
      );
      await again.ok('enter tea');
      await again.ok('say i am back');
      await witness.event('message', { text: 'i am back', room: 'tea' });
      await again.ok('renameconf milk');
      await witness.event('conference', change('milk', 'ken', 'renamed'));
      // Long after the time is over.
      await new Promise((resolve) => setTimeout(resolve, 32_000));
      assert.deepEqual(await seen(witness, 'milk'), ['ken', 'leo']);
      for (const one of [again, witness]) await one.quit();
    };

    /** Killed, and not there again until it is too late. */
    const doesNotReturn = async (): Promise<void> => {
      const { cli, witness, data } = await begun('mia', 'noa');
      await cli.crash();
      const start = performance.now();
      await waits(witness, 'mia');
      const over = ended('tea', 'owner lost');
      await witness.event('conference', over, { patience: 45_000 });
      assert.ok(performance.now() - start >= 29_000);
      await isAtTheTop(witness, 'say alone again');
      assert.deepEqual(await conferences(witness), []);
      const again = await shop.client(address, 'mia', { data });
      assert.deepEqual(await conferences(again), []);
      assert.equal(await again.refused('enter tea'), 'NO_SUCH_ROOM');
      await again.ok('conference tea');
      for (const one of [again, witness]) await one.quit();
    };

    /** Stopped for so long that the server takes it for gone, and then going on. */
    const goesOn = async (): Promise<void> => {
      const { cli, witness } = await begun('pia', 'roy');
      cli.kill('SIGSTOP');
      await waits(witness, 'pia');
      cli.kill('SIGCONT');
      await witness.event('conference', change('tea', 'pia', 'back'), { patience: 40_000 });
      await cli.ok('say after a pause');
      await witness.event('message', { text: 'after a pause', room: 'tea' });
      for (const one of [cli, witness]) await one.quit();
    };

    /** Another than the owner keeps a place for as long, and the conference goes on without. */
    const misses = async (): Promise<void> => {
      const { cli, witness } = await begun('sid', 'tam');
      await witness.crash();
      await cli.event('conference', change('tea', 'tam', 'lost'));
      assert.equal((await conferences(cli))[0]?.state, 'active');
      await cli.event('conference', change('tea', 'tam', 'left'), { patience: 45_000 });
      assert.deepEqual(await seen(cli, 'tea'), ['sid']);
      await cli.quit();
    };

    it('wait 30 seconds: it goes on with an owner who is back by then, and ends without', async () => {
      await Promise.all([returns(), doesNotReturn(), goesOn(), misses()]);
    });
  });

  it('end with the server, and all know when it is there again', async () => {
    const port = await freePort();
    const own = await shop.server({ name: 'mortal', port });
    const [uma, vera] = await shop.clients(own.address, ['uma', 'vera']);
    await befriend(uma, vera);
    await uma.ok('conference tea');
    await vera.ok('joinconf uma');
    await own.cli.crash();
    for (const cli of [uma, vera]) await cli.event('server', { connected: false });
    assert.equal(await uma.refused('conferences'), 'NETWORK');
    const again = await shop.server({ name: 'mortal', port, data: own.data });
    for (const cli of [uma, vera]) await cli.event('conference', { name: 'tea', state: 'ended' });
    assert.deepEqual(await conferences(vera), []);
    await isAtTheTop(vera, 'say at the top');
    await uma.ok('conference tea');
    for (const cli of [uma, vera]) await cli.quit();
    await again.cli.quit();
  });
});
