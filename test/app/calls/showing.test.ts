/** What is shown of a call in which somebody is with several devices. */
import assert from 'node:assert/strict';
import { MIRROR, tileId } from '../../../lib/app/calls/call-tiles.ts';
import type { CallScreen, CallTile, PictureSize } from '../../../lib/app/types.ts';
import { callingStage, type Caller } from '../../support/calling-stage.ts';
import { eventually } from '../../support/channels.ts';
import { SMALL } from '../../support/live-call.ts';

describe('what is shown of somebody with two devices in a call', function () {
  this.timeout(60_000);
  const stage = callingStage();
  let alice: Caller;
  let bob: Caller;
  let phone: Caller;
  let tiles: readonly CallTile[] = [];
  const pictures: string[] = [];
  const sizes = new Map<string, PictureSize>();
  const screen: CallScreen = {
    show: (shown) => (tiles = shown),
    picture: (id) => pictures.push(id),
    size: (id) => sizes.get(id) ?? null,
  };
  const idOf = (one: Caller): string => tileId(one.device, 'camera');
  /** How large alice wants to see somebody. */
  const wanted = (one: Caller) => one.media.at(-1)?.last('send', alice.device).camera;

  beforeEach(async () => {
    pictures.length = 0;
    sizes.clear();
    [alice, bob] = await stage.join('alice', 'bob');
    await stage.befriend(alice, bob);
    phone = await stage.device('bob');
    alice.calls.showing.watch(screen);
    await stage.meet('lobby', alice, bob);
    await phone.run('call', { target: 'lobby', device: '' });
    await eventually('both of his', () => {
      const others = alice.calls.live?.others ?? [];
      return others.length === 2 && others.every(({ isConnected }) => isConnected);
    });
  });

  it('is a tile for each of them', () => {
    assert.deepEqual(
      tiles.map(({ id, user }) => [id, user]),
      [
        [idOf(bob), 'bob'],
        [idOf(phone), 'bob'],
        [MIRROR, 'alice'],
      ],
    );
  });

  it('is what each of them sends, as large as that one is shown', async () => {
    sizes.set(idOf(phone), SMALL);
    alice.calls.showing.sizesChanged();
    await eventually('the phone', () => JSON.stringify(wanted(phone)) === JSON.stringify(SMALL));
    assert.equal(wanted(bob), null);
    const { showing } = alice.calls;
    assert.deepEqual(
      [bob, phone].map(({ device }) => showing.isShown(device, 'camera')),
      [false, true],
    );
    const picture = { event: 'picture', kind: 'camera', width: 2, height: 2, time: 0 } as const;
    for (const peer of [bob.device, phone.device, null])
      alice.media[0]!.options!.onEvent({ ...picture, peer, data: new Uint8Array(6) });
    assert.deepEqual(pictures, [idOf(bob), idOf(phone), MIRROR]);
  });
});
