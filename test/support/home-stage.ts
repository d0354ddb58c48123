/** People of a sealed community, each with the home of a device. */
import assert from 'node:assert/strict';
import { SealedCommunity, type Member } from './community.ts';
import { HomeBench } from './homes.ts';

export interface HomeStage {
  readonly community: SealedCommunity;
  /** The home of a device. */
  readonly open: (
    member: Member,
    options?: Parameters<typeof HomeBench.open>[2],
  ) => Promise<HomeBench>;
  /** People with accounts, who know of one another, and their homes. */
  readonly join: <const Names extends readonly string[]>(
    ...names: Names
  ) => Promise<{ [K in keyof Names]: HomeBench }>;
  /** Everybody takes what has been sealed. */
  readonly catchUp: () => Promise<void>;
}

/**
 * To be called inside a `describe`: there is a new community for each of its tests, after which
 * nothing may have gone wrong in any home.
 */
export function homeStage(): HomeStage {
  let community: SealedCommunity;
  const benches: HomeBench[] = [];

  beforeEach(async () => {
    community = await SealedCommunity.found();
  });

  afterEach(async () => {
    const faults: unknown[] = [];
    for (const bench of benches.splice(0)) {
      await bench.stop();
      faults.push(...bench.faults);
    }
    assert.deepEqual(faults, []);
  });

  const open: HomeStage['open'] = async (member, options) => {
    const bench = await HomeBench.open(community, member, options);
    benches.push(bench);
    return bench;
  };

  return {
    get community() {
      return community;
    },
    open,
    async join<const Names extends readonly string[]>(...names: Names) {
      const members: Member[] = [];
      for (const name of names) members.push(await community.join(name));
      const joined: HomeBench[] = [];
      for (const member of members) joined.push(await open(member));
      return joined as { [K in keyof Names]: HomeBench };
    },
    async catchUp() {
      for (const bench of benches) await bench.catchUp();
    },
  };
}
