/** A server on the simulated network, with a clock that can be put forward. */
import assert from 'node:assert/strict';
import type { ServerOptions } from '../../lib/node/server/server.ts';
import { ShiftedClock, World } from './roles.ts';

export interface WorldStage {
  readonly world: World;
  readonly clock: ShiftedClock;
}

/**
 * To be called inside a `describe`: there is a new world for each of its tests, after which nothing
 * may have gone wrong at its server.
 */
export function worldStage(options: Partial<ServerOptions> = {}): WorldStage {
  let world: World;
  let clock: ShiftedClock;

  beforeEach(async () => {
    clock = new ShiftedClock();
    world = await World.start({ clock, ...options });
  });

  afterEach(async () => {
    await world.stop();
    assert.deepEqual(world.faults, []);
  });

  return {
    get world() {
      return world;
    },
    get clock() {
      return clock;
    },
  };
}
