import { runSimulation } from './run.ts';

/** How many seeds, and from which on: `CLCHAT_SEEDS=200 CLCHAT_SEED=1`. */
const COUNT = Number(process.env['CLCHAT_SEEDS'] ?? 12);
const FIRST = Number(process.env['CLCHAT_SEED'] ?? 1);

describe('the simulated network', function () {
  this.timeout(300_000);
  for (let seed = FIRST; seed < FIRST + COUNT; seed++)
    it(`leaves all replicas equal and nothing acknowledged lost: seed ${seed}`, async () => {
      await runSimulation({ seed, clients: 5, operations: 1_000 });
    });
});
