/** Calls between two, by the real program: how they ring, what they carry, and how they end. */
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cli, CliEvent } from '../support/cli.ts';
import {
  befriend,
  callOf,
  devices,
  hangUp,
  hears,
  sees,
  seesMore,
  talk,
} from '../support/cli-calls.ts';
import { workshop, type Community } from '../support/workshop.ts';

const SECRET = { password: 'a secret of some length' };
const TONES = { ann: 440, ben: 610 };

describe('calls', function () {
  this.timeout(120_000);
  const shop = workshop();
  let server: Community;
  let ann: Cli;
  let ben: Cli;
  let cat: Cli;

  before(async () => {
    server = await shop.server({ user: null });
    [ann, ben, cat] = await Promise.all([
      shop.client(server.address, 'ann', { args: devices(TONES.ann) }),
      shop.client(server.address, 'ben', { args: devices(TONES.ben), ...SECRET }),
      shop.client(server.address, 'cat'),
    ]);
    await befriend(ann, ben);
    await befriend(cat, ben);
  });

  afterEach(async () => {
    for (const cli of [ann, ben, cat]) await cli.ask('hangup');
  });

  /** Events of one call, without what all have. */
  const told = (cli: Cli, id: string): Record<string, unknown>[] =>
    cli.lines
      .filter((line): line is CliEvent => line.type === 'event')
      .filter(({ event, ...rest }) => ['ring', 'call'].includes(event) && rest['id'] === id)
      .map(({ type: _, id: __, ...rest }) => rest);

  it('ring, are answered, carry pictures and sound both ways, and end', async () => {
    assert.equal(await callOf(ann), undefined);
    const id = await talk(ann, ben);
    await ann.event('chatdev', { user: 'ben', video: true, audio: true });
    const first = await sees(
      ann,
      'ben',
      'a pattern',
      ({ video }) => video?.frameNumber !== undefined,
    );
    const { video } = await seesMore(ann, 'ben', 20);
    assert.ok(video!.frameNumber! >= first.video!.frameNumber! + 20);
    const { latencyMs } = first.video!;
    assert.ok(latencyMs! > 0 && latencyMs! < 2_000, `${latencyMs}`);
    assert.ok(video!.width <= 160 && video!.height <= 96);
    await seesMore(ben, 'ann');
    await hears(ann, 'ben', TONES.ben);
    const heard = await hears(ben, 'ann', TONES.ann);
    assert.deepEqual([heard.path, heard.muted, heard.suppressed], ['direct', false, false]);
    for (const [cli, user] of [
      [ann, 'ben'],
      [ben, 'ann'],
    ] as const)
      await cli.event('talking', { user, talking: true });
    const call = (await callOf(ben))!;
    assert.deepEqual([call.id, call.state, call.participants.length], [id, 'active', 1]);
    await ann.ok('hangup');
    await ben.event('call', { id, state: 'ended', reason: 'hung up' });
    await ann.event('call', { id, state: 'ended' });
    assert.deepEqual(
      [told(ann, id), told(ben, id)].map((all) => all.map(({ state = 'ring' }) => state)),
      [
        ['ringing', 'connecting', 'active', 'ended'],
        ['ringing', 'ring', 'connecting', 'active', 'ended'],
      ],
    );
    for (const cli of [ann, ben]) {
      assert.ok(
        told(cli, id).every(
          ({ event, participants }) => event === 'ring' || Array.isArray(participants),
        ),
      );
      assert.equal(await callOf(cli), undefined);
      assert.equal(await cli.refused('hangup'), 'NO_CALL');
    }
    assert.deepEqual(told(ben, id)[1], { event: 'ring', user: 'ann' });
  });

  it('are refused where they cannot be', async () => {
    for (const [line, code] of [
      ['call', 'NOT_IN_ROOM'],
      ['call nobody', 'NO_SUCH_USER'],
      ['call ann', 'SELF'],
      ['call #nowhere', 'NO_SUCH_ROOM'],
      ['call cat', 'NOT_CONTACT'],
      ['answer', 'NO_CALL'],
      ['decline', 'NO_CALL'],
      ['mute ben', 'NO_CALL'],
      ['golive', 'NOT_IN_ROOM'],
      ['watch ben', 'NOT_IN_ROOM'],
      ['record x.wav', 'NO_CALL'],
    ] as const)
      assert.equal(await ann.refused(line), code, line);
    const dan = await shop.client(server.address, 'dan');
    await befriend(ann, dan);
    await dan.quit();
    await ann.event('presence', { user: 'dan', online: false });
    assert.equal(await ann.refused('call dan'), 'OFFLINE');
  });

  it('may be declined, and nobody calls who is in one', async () => {
    const asked = ann.ask('call ben');
    await ben.event('ring', { user: 'ann' }, { count: 2 });
    await ben.ok('decline ann');
    assert.equal((await asked).code, 'DECLINED');
    await talk(ann, ben);
    assert.equal(await cat.refused('call ben'), 'BUSY');
    await ben.event('missed-call', { user: 'cat' });
    assert.equal(await ann.refused('call cat'), 'BUSY');
    assert.equal(ben.events('ring', { user: 'cat' }).length, 0);
    await hangUp(ann, ben);
  });

  it('that nobody answers for fifteen seconds are missed, and told of at once or at the next login', async () => {
    const dora = await shop.newDirectory();
    const first = await shop.client(server.address, 'dora', { data: dora });
    await befriend(ann, first);
    // Two at a time, since each takes its time.
    const missed = ann.ask('call dora');
    const other = cat.ask('call ben');
    const began = performance.now();
    await first.event('ring', { user: 'ann' });
    await first.quit();
    await ben.event('ring', { user: 'cat' });
    assert.deepEqual([(await missed).code, (await other).code], ['NO_ANSWER', 'NO_ANSWER']);
    assert.ok(performance.now() - began >= 14_000);
    const { time } = await ben.event('missed-call', { user: 'cat' }, { count: 2 });
    assert.ok(Math.abs(Number(time) - Date.now()) < 60_000);
    await ben.event('call', { state: 'ended', reason: 'no answer' });
    const again = await shop.client(server.address, 'dora', { data: dora });
    await again.event('missed-call', { user: 'ann' });
    assert.equal(again.events('ring').length, 0);
    await again.quit();
  });

  it('ring all devices of an account, of which exactly one gets them', async () => {
    const args = devices(TONES.ben);
    const phone = await shop.client(server.address, 'ben', { args, ...SECRET });
    const asked = ann.ask('call ben');
    const rings = ben.events('ring', { user: 'ann' }).length;
    await ben.event('ring', { user: 'ann' }, { count: rings + 1 });
    await phone.event('ring', { user: 'ann' });
    const answers = await Promise.all([ben.ask('answer'), phone.ask('answer')]);
    assert.ok((await asked).ok);
    assert.equal(answers.filter(({ ok }) => ok).length, 1);
    const [winner, loser] = answers[0].ok ? [ben, phone] : [phone, ben];
    assert.match(String(answers.find(({ ok }) => !ok)?.code), /^(?:ALREADY|NO_CALL)$/);
    await loser.event('call', { state: 'ended', reason: 'elsewhere' });
    assert.equal(await callOf(loser), undefined);
    await seesMore(winner, 'ann', 5);
    assert.equal((await callOf(ann))!.participants.length, 1);
    await hangUp(ann, winner);
    await phone.quit();
  });

  it('are as one wants to hear and to see the other, who then sends no more than that', async () => {
    await talk(ann, ben);
    await seesMore(ann, 'ben');
    // Of what is sent only the pictures are left, and then nothing to speak of.
    await ben.ok('mic off');
    await ann.event('chatdev', { user: 'ben', video: true, audio: false });
    await sees(ben, 'ann', 'what is sent', ({ sentBits }) => sentBits > 15_000);
    await ann.ok('hide ben');
    const hidden = await sees(ann, 'ben', 'nothing', ({ video }) => video === undefined);
    assert.equal(hidden.hidden, true);
    await sees(ben, 'ann', 'that nothing is sent', ({ sentBits }) => sentBits < 8_000);
    await seesMore(ben, 'ann');
    await ben.ok('mic on');
    await ann.ok('show ben');
    await seesMore(ann, 'ben');
    await ann.ok('mute ben');
    await ann.ok('volume ben 150');
    const muted = await sees(ann, 'ben', 'a mark', (seen) => seen.muted);
    assert.equal(muted.volume, 150);
    await ann.ok('unmute ben');
    await ben.ok('camera off');
    await ann.event('chatdev', { user: 'ben', video: false, audio: true });
    await sees(ann, 'ben', 'nothing', ({ video }) => video === undefined);
    await hears(ann, 'ben', TONES.ben);
    await ben.ok('mic off');
    await ann.event('chatdev', { user: 'ben', video: false, audio: false });
    await sees(ann, 'ben', 'silence', ({ audio }) => audio?.toneHz === undefined);
    await ann.event('talking', { user: 'ben', talking: false });
    await ben.ok('mic on tone:800');
    await hears(ann, 'ben', 800);
    await ben.ok('camera on');
    await seesMore(ann, 'ben');
    await ben.ok(`mic on tone:${TONES.ben}`);
    await hangUp(ann, ben);
  });

  it('go on without a device that is not there', async () => {
    await talk(ann, ben);
    await seesMore(ann, 'ben', 5);
    assert.equal(await ben.refused('camera on /dev/video99'), 'NO_DEVICE');
    await seesMore(ann, 'ben');
    await hangUp(ann, ben);
    const args = ['--camera', '/dev/video99', '--mic', 'tone:440', '--speaker', 'none'];
    const eve = await shop.client(server.address, 'eve', { args });
    await befriend(eve, ann);
    await talk(eve, ann);
    const notice = await eve.event('notice', { code: 'NO_DEVICE' });
    assert.match(String(notice['text']), /\S/);
    await ann.event('chatdev', { user: 'eve', video: false, audio: true });
    await hears(ann, 'eve', 440);
    await seesMore(eve, 'ann', 5);
    await hangUp(eve, ann);
    await eve.quit();
  });

  it('have screens that are shared, and watched by who wants to', async () => {
    await talk(ann, ben);
    await ann.ok('golive the budget');
    const { label } = await ben.event('golive', { user: 'ann', live: true });
    assert.equal(label, 'the budget');
    assert.equal((await sees(ben, 'ann', 'a mark', (seen) => seen.live)).screen, undefined);
    await ben.ok('watch ann');
    const { screen } = await sees(
      ben,
      'ann',
      'a screen',
      (seen) => (seen.screen?.framesDecoded ?? 0) > 5,
    );
    assert.ok(screen!.width > 160);
    await ben.ok('unwatch ann');
    await sees(ben, 'ann', 'no screen', (seen) => seen.screen === undefined);
    assert.equal(await ben.refused('unwatch ann'), 'NOT_LIVE');
    await ann.ok('stoplive');
    await ben.event('golive', { user: 'ann', live: false });
    assert.equal(await ben.refused('watch ann'), 'NOT_LIVE');
    assert.equal(await ann.refused('stoplive'), 'NOT_LIVE');
    await hangUp(ann, ben);
  });

  it('are recorded to everybody’s knowledge', async () => {
    const file = join(await shop.newDirectory(), 'talk.wav');
    await talk(ann, ben);
    await hears(ann, 'ben', TONES.ben);
    await ann.ok(`record ${file}`);
    await ben.event('recording', { user: 'ann', recording: true });
    await seesMore(ann, 'ben', 15);
    await ann.ok('stoprecord');
    await ben.event('recording', { user: 'ann', recording: false });
    assert.ok((await stat(file)).size > 20_000);
    await hangUp(ann, ben);
  });

  it('are listed, also by a command from outside', async () => {
    const data = await shop.newDirectory();
    const fay = await shop.client(server.address, 'fay', { data, args: devices(500) });
    await befriend(fay, ann);
    const list = async (): Promise<unknown> => {
      const args = ['-lc', '--connect', server.address, '--user', 'fay', '--data', data];
      const { status, lines } = await shop.run([...args, '--json', '-e', 'calls']);
      assert.equal(status, 0);
      const [line] = lines;
      assert.ok(line?.type === 'result');
      return (line.data?.['calls'] as Record<string, unknown>[]).map(({ id: _, ...call }) => call);
    };
    assert.deepEqual(await list(), []);
    await talk(fay, ann);
    const call = { state: 'active', user: 'ann', participants: ['fay', 'ann'], here: true };
    assert.deepEqual(await list(), [call]);
    await hangUp(fay, ann);
    // And where no program of that profile runs.
    await fay.quit();
    await cat.ok('call lobby');
    assert.deepEqual(await list(), [{ state: 'active', room: 'lobby', participants: ['cat'] }]);
    await cat.ok('hangup');
    // Where nobody stays there is nobody to talk to.
    const args = ['-lc', '--connect', server.address, '--user', 'fay', '--data', data, '--json'];
    const { lines } = await shop.run([...args, '-e', 'call ann']);
    const [line] = lines;
    assert.ok(line?.type === 'result');
    assert.equal(line.code, 'NOT_SUPPORTED');
  });

  it('take devices that are listed, and others of those from then on', async () => {
    const { settings, devices: listed, problems } = await cat.ok('settings camera');
    assert.deepEqual(settings, { camera: 'default' });
    assert.ok(Array.isArray(listed) && Array.isArray(problems));
    for (const one of listed as unknown as { kind: string }[]) assert.equal(one.kind, 'camera');
    assert.deepEqual((await cat.ok('settings mic tone:300'))['settings'], { mic: 'tone:300' });
    assert.deepEqual(await cat.ok('mic on'), { device: 'microphone', on: true, inCall: false });
    await talk(cat, ben);
    await hears(ben, 'cat', 300);
    await hangUp(cat, ben);
  });
});
