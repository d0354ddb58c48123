import assert from 'node:assert/strict';
import { MIRROR, tileId, tilesOf, type About } from '../../../lib/app/calls/call-tiles.ts';
import { USUAL } from '../../../lib/app/calls/choices.ts';
import type { PublicKey } from '../../../lib/crdt/keys.ts';
import type { CallTile } from '../../../lib/app/types.ts';
import { accountOf, LiveStage, ME, seat } from '../../support/live-call.ts';

describe('what is to be seen of a call', () => {
  let stage: LiveStage;

  beforeEach(() => (stage = new LiveStage()));
  afterEach(() => stage.live.end('hung up'));

  const about = (change: Partial<About> = {}): About => ({
    name: 'm',
    account: accountOf(ME),
    hasCamera: true,
    hasMicrophone: true,
    isTalking: false,
    choicesOf: (account) => stage.choices.get(account) ?? USUAL,
    isSuppressed: (account) => stage.suppressed.has(account),
    ...change,
  });
  /** Each tile by its name and the marks that it has. */
  const tiles = (change: Partial<About> = {}): string[] =>
    tilesOf(stage.live, about(change)).map(({ id: _id, user, kind, ...marks }: CallTile) =>
      [
        user,
        ...(kind === 'screen' ? ['screen'] : []),
        ...Object.entries(marks).flatMap(([mark, is]) => (is ? [mark] : [])),
      ].join(' '),
    );

  it('is everybody in the order in which they came, and oneself last', async () => {
    await stage.tell('b/1', 'c/1');
    await stage.connect('b/1');
    assert.deepEqual(tiles(), [
      'b hasPicture isConnected',
      'c hasPicture',
      'm isOwn hasPicture isConnected',
    ]);
  });

  it('is each thing of each device on its own', async () => {
    await stage.tell(seat('b/1', { live: 'slides' }), 'b/2', 'm/2');
    for (const other of stage.live.others) other.isWatched = true;
    const found = tilesOf(stage.live, about());
    assert.deepEqual(
      found.map(({ user, kind, isOwn }) => `${user} ${kind} ${isOwn}`),
      ['b screen false', 'b camera false', 'b camera false', 'm camera false', 'm camera true'],
    );
    assert.equal(new Set(found.map(({ id }) => id)).size, found.length);
    assert.equal(found[1]?.id, tileId('b/1' as PublicKey, 'camera'));
    assert.equal(found.at(-1)?.id, MIRROR);
  });

  it('is what they have switched on, and whether they talk', async () => {
    await stage.tell(
      seat('b/1', { camera: false, microphone: false }),
      seat('c/1', { live: 'slides' }),
    );
    stage.live.other('c/1' as PublicKey)!.isTalking = true;
    stage.suppressed.add(accountOf('b/1' as PublicKey)).add(accountOf(ME));
    assert.deepEqual(tiles({ hasCamera: false, hasMicrophone: false, isTalking: true }), [
      'b isMuted isSuppressed',
      'c hasPicture isTalking isLive',
      'm isOwn isConnected isTalking isMuted isSuppressed',
    ]);
  });

  it('is what one wants to see and to hear of them', async () => {
    await stage.tell('b/1');
    stage.choices.set(accountOf('b/1' as PublicKey), {
      isMuted: true,
      isHidden: true,
      volume: 100,
    });
    assert.deepEqual(tiles()[0], 'b isMuted');
  });

  it('is the screens that are watched before all else, as long as they are shared', async () => {
    await stage.tell('b/1', seat('c/1', { live: '' }));
    for (const other of stage.live.others) other.isWatched = true;
    assert.deepEqual(
      tiles().map((tile) => tile.split(' ').slice(0, 2).join(' ')),
      ['c screen', 'b hasPicture', 'c hasPicture', 'm isOwn'],
    );
    await stage.tell('b/1', 'c/1');
    assert.equal(tiles().length, 3);
  });
});
