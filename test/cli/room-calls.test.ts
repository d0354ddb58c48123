/** Calls of rooms and conferences, by the real program: who sees and hears whom, and what becomes of faults. */
import assert from 'node:assert/strict';
import type { Cli } from '../support/cli.ts';
import {
  befriend,
  callOf,
  devices,
  hears,
  helperOf,
  sees,
  seesMore,
  withAll,
} from '../support/cli-calls.ts';
import { freePort, workshop, type Community } from '../support/workshop.ts';

const SECRET = { password: 'a secret of some length' };
const TONES = { ann: 440, ben: 610, cat: 790 };

describe('calls of rooms', function () {
  this.timeout(120_000);
  const shop = workshop();
  let port: number;
  let serverData: string;
  let server: Community;
  let ann: Cli;
  let ben: Cli;
  let cat: Cli;

  /** The same one again, after it was ended. */
  const serve = async (): Promise<void> => {
    server = await shop.server({ port, data: serverData, ...SECRET });
  };
  const join = (user: keyof typeof TONES): Promise<Cli> =>
    shop.client(server.address, user, { args: devices(TONES[user]), ...SECRET });

  before(async () => {
    port = await freePort();
    serverData = await shop.newDirectory();
    await serve();
    [ann, ben, cat] = [await join('ann'), await join('ben'), await join('cat')];
    await befriend(ann, ben);
    await ann.ok('room kitchen');
    // Members, who have not entered it.
    for (const cli of [ben, cat]) {
      await cli.event('room', { room: 'kitchen' });
      for (const line of ['enter kitchen', 'leave']) await cli.ok(line);
    }
    await ann.ask('leave');
  });
  afterEach(async () => {
    for (const cli of [ann, ben, cat]) await cli.ask('hangup');
  });

  const nothing = (cli: Cli, user: string) =>
    sees(cli, user, 'no picture', ({ video }) => video === undefined);

  it('show the cameras of contacts to who has joined the room, and of all to who has entered it', async () => {
    for (const cli of [ann, ben, cat]) await cli.ok('call #kitchen');
    for (const cli of [ann, ben, cat])
      await cli.event('call', withAll('active', 'ann', 'ben', 'cat'));
    await seesMore(ann, 'ben', 5);
    await seesMore(ben, 'ann', 5);
    for (const [user, hertz] of Object.entries(TONES))
      for (const [cli, name] of [
        [ann, 'ann'],
        [ben, 'ben'],
        [cat, 'cat'],
      ] as const)
        if (name !== user) await hears(cli, user, hertz);
    // What is not to be seen is not sent: nothing but sound, and nothing where that is off as well.
    for (const cli of [ann, ben, cat]) await cli.ok('mic off');
    const silence = ({ sentBits }: { sentBits: number }): boolean => sentBits < 8_000;
    await sees(cat, 'ann', 'that nothing is sent', silence);
    await sees(ann, 'cat', 'that nothing is sent', silence);
    await nothing(ann, 'cat');
    await nothing(cat, 'ann');
    await cat.ok('enter kitchen');
    await seesMore(cat, 'ann', 5);
    await seesMore(cat, 'ben', 5);
    await nothing(ann, 'cat');
    await sees(cat, 'ann', 'that nothing is sent', silence);
    await cat.ok('leave');
    await nothing(cat, 'ann');
    await sees(ann, 'cat', 'that nothing is sent', silence);
    for (const cli of [ann, ben, cat]) await cli.ok('mic on');
  });

  it('bring those together who have entered a room, contacts or not', async () => {
    assert.equal(await cat.refused('call ann'), 'NOT_CONTACT');
    for (const cli of [ann, cat]) await cli.ok('enter kitchen');
    const asked = cat.ask('call ann');
    await ann.event('ring', { user: 'cat' });
    await ann.ok('answer');
    assert.ok((await asked).ok);
    await seesMore(cat, 'ann', 5);
    await seesMore(ann, 'cat', 5);
    for (const cli of [ann, cat]) await cli.ok('leave');
  });

  it('are for members, whom nobody has blocked', async () => {
    const dan = await shop.client(server.address, 'dan');
    assert.equal(await dan.refused('call #kitchen'), 'NOT_MEMBER');
    await befriend(dan, ann);
    await ann.ok('block dan');
    assert.equal(await dan.refused('call ann'), 'BLOCKED');
    await ann.ok('unblock dan');
    await dan.quit();
  });

  it('do not carry what somebody says who is suppressed, until that is lifted', async () => {
    for (const cli of [ann, ben]) await cli.ok('call #kitchen');
    await hears(ann, 'ben', TONES.ben);
    assert.equal(await ben.refused('suppress ann --room kitchen'), 'NOT_OWNER');
    await ann.ok('suppress ben --room kitchen');
    const told = { user: 'ben', room: 'kitchen', suppressed: true, by: 'ann' };
    for (const cli of [ben, cat]) await cli.event('servermute', told);
    const isSilent = ({ audio, suppressed }: Parameters<Parameters<typeof sees>[3]>[0]): boolean =>
      suppressed && audio?.toneHz === undefined;
    await sees(ann, 'ben', 'silence', isSilent);
    // Also after the program of the silenced, and the server, have been started again.
    await ben.ok('hangup');
    await ann.ok('hangup');
    await server.cli.quit();
    await ann.event('server', { connected: false });
    await serve();
    for (const cli of [ann, ben, cat])
      await cli.until(
        () => cli.events('server').at(-1)?.['connected'] === true || undefined,
        'the server again',
      );
    for (const cli of [ann, ben]) await cli.ok('call #kitchen');
    await seesMore(ann, 'ben', 5);
    await sees(ann, 'ben', 'silence', isSilent);
    await ann.ok('unsuppress ben --room kitchen');
    await ben.event('servermute', { user: 'ben', suppressed: false });
    await hears(ann, 'ben', TONES.ben);
  });

  it('go on while the server is started again, with all who are in them', async () => {
    for (const cli of [ann, ben]) await cli.ok('call #kitchen');
    await seesMore(ann, 'ben', 5);
    const ends = [ann, ben].map((cli) => cli.events('call', { state: 'ended' }).length);
    const losses = [ann, ben].map((cli) => cli.events('server', { connected: false }).length);
    await server.cli.crash();
    await seesMore(ann, 'ben', 10);
    await serve();
    for (const [at, cli] of [ann, ben].entries()) {
      await cli.event('server', { connected: false }, { count: losses[at]! + 1 });
      await cli.until(
        () => cli.events('server').at(-1)?.['connected'] === true || undefined,
        'the server again',
      );
    }
    await seesMore(ann, 'ben', 30);
    await seesMore(ben, 'ann', 30);
    for (const [at, cli] of [ann, ben].entries()) {
      assert.equal(cli.events('call', { state: 'ended' }).length, ends[at]);
      assert.deepEqual((await callOf(cli))?.state, 'active');
    }
  });

  it('go on when the part for devices dies, and what is said is said', async () => {
    for (const cli of [ann, ben]) await cli.ok('call #kitchen');
    await seesMore(ann, 'ben', 5);
    process.kill(await helperOf(ben), 'SIGKILL');
    const text = 'nothing has happened';
    await ben.ok(`say ${text}`);
    await ann.event('message', { text });
    await ben.event('notice', { code: 'NO_MEDIA' });
    const { video } = await sees(ann, 'ben', 'a picture', (seen) => seen.video !== undefined);
    await sees(
      ann,
      'ben',
      'pictures of another process',
      (seen) => seen.video !== undefined && seen.video.framesDecoded !== video!.framesDecoded,
    );
    await seesMore(ann, 'ben', 20);
    await hears(ann, 'ben', TONES.ben);
    await seesMore(ben, 'ann', 10);
  });

  it('of conferences are for those who take part, who all see each other, and end with their owner', async () => {
    await ben.ok('conference tea');
    await ann.ok('joinconf ben');
    for (const cli of [ann, ben]) await cli.ok('call');
    await seesMore(ann, 'ben', 5);
    await seesMore(ben, 'ann', 5);
    assert.equal(await cat.refused('call #tea'), 'NO_SUCH_ROOM');
    const { id } = (await callOf(ann))!;
    await ben.ok('leaveconf');
    await ann.event('call', { id, state: 'ended' });
    assert.equal(await callOf(ann), undefined);
  });
});
