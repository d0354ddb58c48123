/**
 * Across an internet of network namespaces, with real gateways: until a server can be reached, until
 * somebody is in, what is said in private, and after a cable was cut. Needs root.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LabProcess } from '../lan/process.ts';
import { WanLab } from '../wan/lab.ts';
import {
  does,
  event,
  launch,
  PATIENCE_MS,
  result,
  SERVE,
  untilReady,
  type Started,
} from '../wan/program.ts';
import type { Bench, Context } from './support/bench.ts';
import type { Row } from './support/report.ts';
import { median, now, spread, time } from './support/stats.ts';

const FIGURE_READY_MS = 2_000;
const FIGURE_IN_MS = 1_500;
const FIGURE_RECOVERY_MS = 5_000;
const figureOneWay = (path: number): number => 1.5 * path + 3;

/** One way over one cable, in milliseconds: half of the round trip to the server. */
const DELAY = 25;
const CUT_MS = 10_000;
/** Between messages in private, in milliseconds. */
const APART_MS = 20;
const PASSWORD = 'correct horse battery staple';

/** Connects as often as told to an address, and prints the milliseconds of each time. */
const CONNECTS = `
const { connect } = require('node:net');
const [, host, port, count] = process.argv;
(async () => {
  for (let n = 0; n < count; n++) {
    const begun = process.hrtime.bigint();
    await new Promise((resolve, reject) => {
      const socket = connect(port, host, () => resolve(socket.destroy()));
      socket.on('error', reject);
    });
    console.log(JSON.stringify({ took: Number(process.hrtime.bigint() - begun) / 1e6 }));
  }
})();`;

class Internet {
  readonly #lab: WanLab;
  readonly #context: Context;
  #number = 0;

  constructor(lab: WanLab, context: Context) {
    this.#lab = lab;
    this.#context = context;
  }

  get lab(): WanLab {
    return this.#lab;
  }

  async start(
    host: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv = {},
  ): Promise<Started> {
    const directory = await this.#context.directory();
    const { clchat: file } = this.#context.programs;
    const name = `${++this.#number}`;
    const installed = { file, directory };
    return untilReady(host, () => launch(this.#lab.host(host), installed, name, args, environment));
  }

  /** A new account with a password. */
  async join(host: string, link: string, user: string): Promise<Started> {
    return this.start(host, ['-c', link, '--user', user], { CLCHAT_PASSWORD: PASSWORD });
  }

  /** How long a TCP connection takes to come about: one round trip. */
  async roundTrip(host: string, address: string): Promise<number> {
    const [ip = '', port = ''] = address.split(':');
    const count = 20;
    const running = this.#lab
      .host(host)
      .exec(process.execPath, ['-e', CONNECTS, ip, port, `${count}`]);
    const took: number[] = [];
    for (let n = 0; n < count; n++)
      took.push(Number((await running.next(() => true, PATIENCE_MS))['took']));
    await running.kill();
    return median(took);
  }
}

async function leave({ process }: Started): Promise<void> {
  process.send('quit');
  await process.end();
}

/** Until a server behind a gateway is ready. */
async function ready(internet: Internet, rounds: number): Promise<Row> {
  const [mapped, plain]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const server = await internet.start('a1', SERVE);
    if (server.ready['external'] === undefined) throw new Error('no port was mapped');
    mapped.push(server.milliseconds);
    await leave(server);
    const lan = await internet.start('a1', ['-ls', ...SERVE.slice(1)]);
    plain.push(lan.milliseconds);
    await leave(lan);
  }
  return {
    what: '`clchat -s` behind a gateway that answers, to `ready` with its port mapped',
    clchat: time(median(mapped)),
    beside: `the same server for the LAN alone, \`-ls\`: ${time(median(plain))}`,
    figure: {
      text: `≤ ${time(FIGURE_READY_MS)}`,
      reached: median(mapped) <= FIGURE_READY_MS,
    },
  };
}

/** Until somebody new is in. */
async function comesIn(internet: Internet, server: Started, rounds: number): Promise<Row> {
  const [link, external] = [String(server.ready['invite']), String(server.ready['external'])];
  const took: number[] = [];
  const near: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const far = await internet.join('b1', link, `far${round}`);
    took.push(far.milliseconds);
    await leave(far);
    // The same without the way.
    const close = await internet.join('d1', link, `close${round}`);
    near.push(close.milliseconds);
    await leave(close);
  }
  const roundTrip = await internet.roundTrip('b1', external);
  return {
    what: '`clchat -c LINK`, a new account with a password, to `ready`, 50 ms away',
    clchat: time(median(took)),
    beside: `a TCP connection ${time(roundTrip)}; \`-c LINK\` without that way ${time(median(near))}`,
    figure: { text: `≤ ${time(FIGURE_IN_MS)}`, reached: median(took) <= FIGURE_IN_MS },
  };
}

/** From who says something in private to who is told it. */
async function inPrivate(
  internet: Internet,
  server: Started,
  [ben, cat]: readonly [LabProcess, LabProcess],
  count: number,
): Promise<Row> {
  ben.send('startprivate cat');
  await cat.next(event('private-request', { user: 'ben' }), PATIENCE_MS, 'the request');
  await does(cat, 'yes ben');
  const opened = await ben.next(event('path', { user: 'cat' }), PATIENCE_MS, 'the path');
  await ben.next(result, PATIENCE_MS, 'the session');
  const lags: number[] = [];
  for (let n = 0; n < count; n++) {
    const begun = now();
    ben.send(`private cat number ${n}`);
    await cat.next(event('private-message', { text: `number ${n}` }), PATIENCE_MS, `${n}`);
    lags.push(now() - begun);
    await sleep(APART_MS);
  }
  // There and back over one of the two equal cables between them is as far as once over both.
  const path = await internet.roundTrip('b1', String(server.ready['external']));
  const figure = figureOneWay(path);
  return {
    what: `a private message (${String(opened['kind'])}) from line to line, over ${DELAY * 2} ms one way`,
    clchat: spread(lags),
    beside: `a packet on that way ${time(path)}`,
    figure: { text: `p50 ≤ 1.5 × that + 3 ms`, reached: median(lags) <= figure },
  };
}

/** From the return of a cable until what is said goes out. */
async function recovery(
  internet: Internet,
  server: Started,
  [ben, cat]: readonly [LabProcess, LabProcess],
): Promise<Row> {
  const router = internet.lab.router('r2');
  await router.cut('silent');
  await sleep(CUT_MS);
  await router.restore();
  const begun = now();
  ben.send('say here I am again');
  await cat.next(event('message', { text: 'here I am again' }), PATIENCE_MS, 'the message');
  const took = now() - begun;
  const roundTrip = await internet.roundTrip('b1', String(server.ready['external']));
  return {
    what: 'a cable cut for ten seconds: from its return until a message is there',
    clchat: time(took),
    beside: `a TCP connection ${time(roundTrip)}`,
    figure: { text: `≤ ${time(FIGURE_RECOVERY_MS)}`, reached: took <= FIGURE_RECOVERY_MS },
  };
}

export const internet: Bench = {
  name: 'internet',
  async run(context): Promise<Row[]> {
    const homes = [{}, { igd: 'off' }, { igd: 'off' }, { igd: 'off' }] as const;
    const lab = await WanLab.create({ homes });
    const there = new Internet(lab, context);
    try {
      const rows = [await ready(there, context.size(7, 2))];
      const server = await there.start('a1', SERVE);
      for (const name of ['r2', 'r3']) await lab.router(name).shape({ delay: DELAY });
      rows.push(await comesIn(there, server, context.size(7, 2)));
      const link = String(server.ready['invite']);
      const [ben, cat] = [await there.join('b1', link, 'ben'), await there.join('c1', link, 'cat')];
      const both = [ben.process, cat.process] as const;
      rows.push(await inPrivate(there, server, both, context.size(200, 20)));
      rows.push(await recovery(there, server, both));
      return rows;
    } finally {
      await lab.destroy();
    }
  },
};
