/** The floors under all else: what keys, hashes and the disk of this machine allow. */
import type { Bench } from './support/bench.ts';
import { Worker } from './support/processes.ts';
import type { Row } from './support/report.ts';
import { count, spread, sum } from './support/stats.ts';
import type { FloorsMethods } from './workers/floors.ts';
import type { StoresMethods } from './workers/stores.ts';

const SIZE = 200;

export const floors: Bench = {
  name: 'floors',
  async run(context): Promise<Row[]> {
    const crypto = new Worker<FloorsMethods>(context.programs.worker('floors'));
    const measured = await crypto.call('measure', {
      milliseconds: context.size(1_000, 200),
      size: SIZE,
    });
    await crypto.stop();
    const stores = new Worker<StoresMethods>(context.programs.worker('stores'));
    const puts = await stores.call('puts', {
      directory: await context.directory(),
      writers: 1,
      blocks: context.size(3_000, 500),
      size: SIZE,
    });
    await stores.stop();
    const pairs = [
      ['entry made and signed', 'Ed25519 sign', measured.sign],
      ['entry decoded and verified', 'Ed25519 verify', measured.verify],
      ['body sealed', 'AES-256-GCM seal', measured.seal],
      ['body opened', 'AES-256-GCM open', measured.open],
    ] as const;
    return [
      ...pairs.map(([what, bare, rates]) => ({
        what: `${what}, ${SIZE} bytes`,
        clchat: `${count(rates.product)}/s`,
        beside: `${bare}: ${count(rates.bare)}/s`,
      })),
      {
        what: `SHA-256 of ${SIZE} bytes`,
        clchat: '',
        beside: `${count(measured.hash)}/s`,
      },
      {
        what: 'synchronous put, one after the other',
        clchat: '',
        beside: `level: ${count(puts.length / (sum(puts) / 1_000))}/s, ${spread(puts)}`,
      },
    ];
  },
};
