/** Port mappers on the hosts of an internet, for the contract that all of them have to keep. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { ClchatError, type ErrorCode } from '../../lib/errors.ts';
import { sleep } from '../../lib/lifecycle.ts';
import type { Mapping, MappingNews, PortRequest } from '../../lib/nat/port-mapper.ts';
import type { LabProcess, Line } from '../lan/process.ts';
import type { MapperStage, StagedMapper } from '../nat/port-mapper-contract.ts';
import type { WanLab } from './lab.ts';

const SCRIPT = fileURLToPath(new URL('./fixtures/mapper.ts', import.meta.url));
/** As those of the program, but shorter. */
const TIMINGS = {
  lifetimeS: 6,
  checkMs: 700,
  routeMs: 400,
  retryMs: 400,
  maxRetryMs: 1_000,
  minRenewalMs: 500,
};
const PATIENCE_MS = 40_000;
const LOOK_MS = 50;
/** By which a gateway knows whose mappings are whose. */
const [OURS, THEIRS] = [1, 2];
/** Another address of the network between the first router and the internet. */
const OTHER_ADDRESS = '11.0.0.5';

class MapperProcess implements StagedMapper {
  readonly process: LabProcess;
  #news: readonly MappingNews[] = [];
  #last = 0;

  constructor(lab: WanLab, host: string, seed: number) {
    const options = JSON.stringify({ seed, timings: TIMINGS });
    this.process = lab.host(host).runTypeScript(SCRIPT, options);
  }

  async map(request: PortRequest): Promise<Mapping> {
    const { mapping, code } = await this.#command({ do: 'map', request });
    if (code !== undefined) throw new ClchatError(code as ErrorCode);
    return mapping as Mapping;
  }

  news(): readonly MappingNews[] {
    const line = this.process.lines.at(-1);
    if (line !== undefined) this.#note(line);
    return this.#news;
  }

  async mappings(): Promise<readonly Mapping[]> {
    return (await this.#command({ do: 'mappings' }))['mappings'] as Mapping[];
  }

  async stop(): Promise<void> {
    if (this.process.hasExited) return;
    await this.#command({ do: 'stop' });
    await this.process.end();
  }

  async crash(): Promise<void> {
    await this.process.kill();
  }

  async #command(command: Line): Promise<Line> {
    const id = ++this.#last;
    this.process.send(JSON.stringify({ id, ...command }));
    const isAnswer = (line: Line): boolean => line['id'] === id;
    const answer = await this.process.next(isAnswer, PATIENCE_MS, JSON.stringify(command));
    this.#note(answer);
    return answer;
  }

  /** Each line has all the news that there were. */
  #note(line: Line): void {
    const news = line['news'] as MappingNews[];
    if (news.length > this.#news.length) this.#news = news;
  }
}

/** A stage at the router `r1` of a lab, with port mappers on `a1` and the other host `a2`. */
export function mapperStage(lab: WanLab): MapperStage {
  const router = lab.router('r1');
  const { address } = router;
  const started: MapperProcess[] = [];
  let other: MapperProcess | undefined;

  const isOurs = (ip: string): boolean => ip === lab.host('a1').address;
  const occupy = async (transport: 'tcp' | 'udp', port: number): Promise<void> => {
    other ??= new MapperProcess(lab, 'a2', THEIRS);
    const { external } = await other.map({ transport, internalPort: port, preferred: port });
    assert.equal(external.port, port);
  };
  const pause = (signal: 'SIGSTOP' | 'SIGCONT'): void => {
    for (const { process } of started) process.signal(signal);
  };

  return {
    lifetimeS: TIMINGS.lifetimeS,
    address,
    start: async () => {
      const mapper = new MapperProcess(lab, 'a1', OURS);
      started.push(mapper);
      return mapper;
    },
    mappings: async () =>
      (await router.mappings()).map(({ transport, externalPort, internal }) => {
        const { ip, port } = internal;
        return { transport, externalPort, internalPort: port, isOurs: isOurs(ip) };
      }),
    occupy,
    exhaust: () => assert.fail('a daemon has a port for everybody'),
    refuse: (refuses) => router.daemon.change({ refuses }),
    reboot: async (taken) => {
      // Else it would be a matter of chance who is the first.
      if (taken !== undefined) pause('SIGSTOP');
      await router.takeAway();
      await sleep(1_500);
      await router.putBack();
      if (taken === undefined) return;
      await occupy(taken.transport, taken.externalPort);
      pause('SIGCONT');
    },
    readdress: async () => {
      await router.setAddress(OTHER_ADDRESS);
      return OTHER_ADDRESS;
    },
    hide: () => router.joinCarrier(),
    takeAway: (isAway) => (isAway ? router.takeAway() : router.putBack()),
    until: async (isSo) => {
      const end = performance.now() + PATIENCE_MS;
      while (!(await isSo())) {
        assert.ok(performance.now() < end, 'it does not come about');
        await sleep(LOOK_MS);
      }
    },
    pass: (milliseconds) => sleep(milliseconds),
    settled: (promise) => promise,
    close: async () => {
      await Promise.all(started.map((mapper) => mapper.crash()));
      await other?.crash();
      // As it was for the next.
      await router.takeAway();
      await router.setAddress(address);
      await router.daemon.change({ refuses: false });
    },
  };
}
