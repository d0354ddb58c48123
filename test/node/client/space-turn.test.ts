import assert from 'node:assert/strict';
import { ClchatError } from '../../../lib/errors.ts';
import type { Home } from '../../../lib/node/client/home.ts';
import { inTurn, returned } from '../../../lib/node/client/space-turn.ts';

/** A home whose chain in the space stands where it is told, and whose outbox empties by and by. */
class Chain {
  seq = 1;
  waiting = 0;
  readonly log: string[] = [];

  get home(): Pick<Home, 'spacePlace' | 'outbox'> {
    const place = () => ({ seq: this.seq, previous: null, clock: this.seq });
    const settled = async (): Promise<void> => {
      this.log.push(`settled ${this.waiting}`);
      this.seq += this.waiting;
      this.waiting = 0;
      await Promise.resolve();
    };
    return {
      get spacePlace() {
        return place();
      },
      outbox: { settled } as unknown as Home['outbox'],
    };
  }

  /** Something of this device comes back after a while. */
  later(): void {
    setTimeout(() => this.seq++, 20);
  }
}

describe('a turn in the space', () => {
  it('comes after what waits, and ends when it is back', async () => {
    const chain = new Chain();
    chain.waiting = 2;
    const result = await inTurn(chain.home, async ({ seq }) => {
      chain.log.push(`submitted ${seq}`);
      chain.later();
      return 'done';
    });
    assert.equal(result, 'done');
    assert.deepEqual(chain.log, ['settled 2', 'submitted 3']);
    assert.equal(chain.seq, 4);
  });

  it('is taken again where something of before had not come back yet', async () => {
    const chain = new Chain();
    const tried: number[] = [];
    await inTurn(chain.home, async ({ seq }) => {
      tried.push(seq);
      chain.later();
      if (seq < 3) throw new ClchatError('OUT_OF_ORDER');
    });
    assert.deepEqual(tried, [1, 2, 3]);
  });

  it('passes on every other refusal at once', async () => {
    const chain = new Chain();
    let tried = 0;
    const refuse = async (): Promise<never> => {
      tried++;
      throw new ClchatError('DENIED');
    };
    await assert.rejects(inTurn(chain.home, refuse), { code: 'DENIED' });
    assert.equal(tried, 1);
  });

  it('is not waited for where it is back already', async () => {
    const chain = new Chain();
    chain.seq = 5;
    await returned(chain.home, 4);
    chain.later();
    await returned(chain.home, 5);
    assert.equal(chain.seq, 6);
  });
});
