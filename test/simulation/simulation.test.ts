import { makeSamples, type Sample } from './attachments.ts';
import { runSimulation } from './run.ts';

/** How many seeds, and from which on: `CLCHAT_SEEDS=200 CLCHAT_SEED=1`. */
const COUNT = Number(process.env['CLCHAT_SEEDS'] ?? 4);
const FIRST = Number(process.env['CLCHAT_SEED'] ?? 1);

describe('the simulated network', function () {
  this.timeout(300_000);
  let samples: readonly Sample[];
  let remove: () => Promise<void>;

  before(async () => {
    ({ samples, remove } = await makeSamples());
  });
  after(() => remove());

  for (let seed = FIRST; seed < FIRST + COUNT; seed++)
    it(`leaves all replicas equal and nothing acknowledged lost: seed ${seed}`, async () => {
      await runSimulation({ seed, clients: 5, operations: 800, samples });
    });
});
