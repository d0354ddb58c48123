import assert from 'node:assert/strict';
import type { Worker } from 'node:worker_threads';
import { SigningKey, type Signed } from '../../lib/crdt/keys.ts';
import { sleep } from '../../lib/lifecycle.ts';
import { Verifier } from '../../lib/node/verifier.ts';
import { Random } from '../simulation/random.ts';

const random = new Random(1).bytes;
const TAGS = ['clchat entry v1', 'clchat seal v1'] as const;

/** Signatures of several keys over messages of all lengths; the bytes are views of one buffer. */
function signatures(amount: number): Signed[] {
  const keys = Array.from({ length: 3 }, () => new SigningKey(random(32)));
  const buffer = random(1_000);
  return Array.from({ length: amount }, (_, n): Signed => {
    const key = keys[n % keys.length]!;
    const tag = TAGS[n % TAGS.length]!;
    const bytes = buffer.subarray(n, 2 * n);
    return [key.public, tag, bytes, key.sign(tag, bytes)];
  });
}

describe('many signatures', () => {
  let verifier: Verifier;

  beforeEach(() => (verifier = new Verifier({ startAt: 0 })));
  afterEach(() => verifier.close());

  for (const amount of [0, 1, 199, 200, 300]) {
    it(`are verified, ${amount} of them, and one that is wrong is found wherever it is`, async () => {
      const signed = signatures(amount);
      assert.equal(await verifier.verifyAll(signed), true);
      for (const at of new Set([0, amount >> 1, amount - 1])) {
        const one = signed[at];
        if (one === undefined) continue;
        const [key, tag, bytes, signature] = one;
        const wrong: Signed[] = [
          [new SigningKey(random(32)).public, tag, bytes, signature],
          [key, `${tag}x`, bytes, signature],
          [key, tag, Uint8Array.of(...bytes, 0), signature],
          [key, tag, bytes, signature.with(5, signature[5]! ^ 1)],
          [key, tag, bytes, signature.subarray(1)],
          [key, tag, bytes, Uint8Array.of(...signature, 0)],
          ['00'.repeat(32) as typeof key, tag, bytes, signature],
        ];
        for (const forged of wrong)
          assert.equal(await verifier.verifyAll(signed.with(at, forged)), false);
      }
    });
  }

  it('are told apart when several ask at once', async () => {
    const signed = signatures(100);
    const wrong = signed.with(50, signed[51]!).with(51, [...signed[50]!] as Signed);
    const [key, tag, bytes] = wrong[50]!;
    wrong[50] = [key, tag, bytes, signed[50]![3]];
    const asked = Array.from({ length: 20 }, (_, n) => (n % 3 === 0 ? wrong : signed));
    const verdicts = await Promise.all(asked.map((all) => verifier.verifyAll(all)));
    assert.deepEqual(
      verdicts,
      asked.map((all) => all === signed),
    );
  });

  it('are verified all the same when the thread ends meanwhile, and after it', async () => {
    const signed = signatures(300);
    const begun = [verifier.verifyAll(signed), verifier.verifyAll(signatures(100))];
    verifier.close();
    assert.deepEqual(await Promise.all(begun), [true, true]);
    assert.equal(await verifier.verifyAll(signed), true);
  });

  it('leave no thread behind when there have been none for a while', async () => {
    const started: Worker[] = [];
    const note = (thread: Worker): void => void started.push(thread);
    process.on('worker', note);
    const short = new Verifier({ idleMs: 20, startAt: 400 });
    try {
      const signed = signatures(250);
      // Few are not worth a thread, which costs more to start than they do.
      assert.equal(await short.verifyAll(signed), true);
      assert.equal(started.length, 0);
      for (let round = 1; round <= 2; round++) {
        await Promise.all([short.verifyAll(signed), short.verifyAll(signed)]);
        assert.equal(started.length, round);
        const [thread] = started.slice(-1);
        // It has none any more once it has ended.
        for (let waited = 0; thread!.threadId !== -1 && waited < 500; waited++) await sleep(20);
        assert.equal(thread!.threadId, -1);
      }
    } finally {
      process.off('worker', note);
      short.close();
    }
  });
});
