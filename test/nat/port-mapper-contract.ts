/** What every port mapper must do at a gateway. Run against each kind of gateway, made up or real. */
import assert from 'node:assert/strict';
import { codeOf, type ErrorCode } from '../../lib/errors.ts';
import type { Transport } from '../../lib/nat/gateway-client.ts';
import type { Mapping, MappingNews, PortRequest } from '../../lib/nat/port-mapper.ts';

/** A port mapper on the host of the stage. */
export interface StagedMapper {
  map(request: PortRequest): Promise<Mapping>;
  /** All that was told so far. */
  news(): readonly MappingNews[];
  mappings(): Promise<readonly Mapping[]>;
  stop(): Promise<void>;
  /** As by a crash: nothing is removed. */
  crash(): Promise<void>;
}

export interface StagedMapping {
  readonly transport: Transport;
  readonly externalPort: number;
  readonly internalPort: number;
  /** Whether it leads to the host of the stage. */
  readonly isOurs: boolean;
}

/** A home with a gateway, a host on which port mappers run, and another host. */
export interface MapperStage {
  /** Seconds that are asked for; each mapper of the stage has short times otherwise. */
  readonly lifetimeS: number;
  /** The gateway's public address. */
  readonly address: string;
  /** Starts a mapper, with the same identity each time. */
  start(): Promise<StagedMapper>;
  /** What the gateway has in its table. */
  mappings(): Promise<readonly StagedMapping[]>;
  /** Maps a port to the other host. */
  occupy(transport: Transport, externalPort: number): Promise<void>;
  /** Leaves no port that could be mapped. */
  exhaust(): Promise<void>;
  /** Whether the gateway maps ports to nobody. */
  refuse(refuses: boolean): Promise<void>;
  /**
   * Restarts the gateway, which forgets all mappings. The other host is the first to map a port, where
   * one is named.
   */
  reboot(taken?: { transport: Transport; externalPort: number }): Promise<void>;
  /** Gives the gateway another public address. @returns it */
  readdress(): Promise<string>;
  /** Puts the gateway behind that of a carrier. */
  hide(): Promise<void>;
  /** Takes the gateway away, mappings and all, or puts it back. */
  takeAway(isAway: boolean): Promise<void>;
  /** Lets time pass until something is so; fails when it does not come about. */
  until(isSo: () => boolean | Promise<boolean>): Promise<void>;
  /** Lets so much time pass. */
  pass(milliseconds: number): Promise<void>;
  /** Lets time pass until a promise is settled. */
  settled<T>(promise: Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** What a stage may not be able to play. */
export type Scene = 'exhausted' | 'refused' | 'another address' | 'carrier' | 'away';

const PORT = 49_200;
const request = { transport: 'tcp', internalPort: PORT } as const;

/** To be called inside a `describe`. */
export function portMapperContract(
  make: () => Promise<MapperStage>,
  { without = [] }: { readonly without?: readonly Scene[] } = {},
): void {
  let stage: MapperStage;
  const started: StagedMapper[] = [];

  beforeEach(async () => {
    stage = await make();
  });
  afterEach(async () => {
    for (const mapper of started.splice(0)) await stage.settled(mapper.stop());
    await stage.close();
  });

  const scene = (name: Scene, title: string, play: () => Promise<void>): void => {
    if (!without.includes(name)) it(title, play);
  };
  const start = async (): Promise<StagedMapper> => {
    const mapper = await stage.start();
    started.push(mapper);
    return mapper;
  };
  const mapped = async (mapper: StagedMapper, wish: PortRequest = request): Promise<Mapping> =>
    stage.settled(mapper.map(wish));
  const failsWith = async (mapper: StagedMapper, code: ErrorCode): Promise<void> => {
    await assert.rejects(mapped(mapper), (error) => {
      assert.equal(codeOf(error), code);
      return true;
    });
    const news = { state: 'failed', ...request, code };
    assert.deepEqual(mapper.news(), [news]);
  };
  const ours = async (): Promise<StagedMapping[]> =>
    (await stage.mappings()).filter(({ isOurs }) => isOurs);
  const portsOfOthers = async (): Promise<number[]> =>
    (await stage.mappings()).filter(({ isOurs }) => !isOurs).map((one) => one.externalPort);
  const last = (mapper: StagedMapper): MappingNews | undefined => mapper.news().at(-1);

  it('maps a port under its own number, and says so', async () => {
    const mapper = await start();
    const mapping = await mapped(mapper);
    assert.deepEqual(mapping.external, { ip: stage.address, port: PORT });
    assert.deepEqual([mapping.transport, mapping.internalPort], ['tcp', PORT]);
    assert.ok(mapping.lifetime > 0 && mapping.lifetime <= stage.lifetimeS);
    assert.deepEqual(mapper.news(), [{ state: 'mapped', mapping }]);
    assert.deepEqual(await mapper.mappings(), [mapping]);
    const shown = { transport: 'tcp', externalPort: PORT, internalPort: PORT, isOurs: true };
    assert.deepEqual(await stage.mappings(), [shown]);
  });

  it('maps several, and one only once', async () => {
    const mapper = await start();
    const udp = { ...request, transport: 'udp' } as const;
    const wishes = [request, udp, { ...udp, internalPort: PORT + 1, preferred: PORT + 7 }, udp];
    const all = await stage.settled(Promise.all(wishes.map((wish) => mapper.map(wish))));
    assert.deepEqual(
      all.map(({ transport, external }) => `${transport} ${external.port}`),
      [`tcp ${PORT}`, `udp ${PORT}`, `udp ${PORT + 7}`, `udp ${PORT}`],
    );
    assert.equal((await ours()).length, 3);
    assert.equal((await mapper.mappings()).length, 3);
  });

  it('takes another port where one is taken, and leaves it to whom it belongs', async () => {
    await stage.occupy('tcp', PORT);
    await stage.occupy('tcp', PORT + 1);
    const mapper = await start();
    const { external } = await mapped(mapper);
    assert.ok(external.port !== PORT && external.port !== PORT + 1);
    assert.deepEqual(
      (await ours()).map((one) => one.externalPort),
      [external.port],
    );
    await stage.settled(mapper.stop());
    assert.deepEqual((await portsOfOthers()).sort(), [PORT, PORT + 1]);
    assert.deepEqual(await ours(), []);
  });

  scene('exhausted', 'says that there is no port left', async () => {
    await stage.exhaust();
    const before = await stage.mappings();
    await failsWith(await start(), 'PORT_EXHAUSTED');
    assert.deepEqual(await stage.mappings(), before);
  });

  scene('refused', 'says that it is refused, and maps when it is not any more', async () => {
    await stage.refuse(true);
    const mapper = await start();
    await failsWith(mapper, 'MAPPING_REFUSED');
    await stage.refuse(false);
    await stage.until(() => last(mapper)?.state === 'mapped');
    assert.equal((await ours()).length, 1);
  });

  it('renews what it has before it ends', async () => {
    const mapper = await start();
    const mapping = await mapped(mapper);
    await stage.until(() => last(mapper)?.state === 'renewed');
    await stage.pass(mapping.lifetime * 600);
    assert.equal((await ours()).length, 1);
    const states = mapper.news().map(({ state }) => state);
    assert.deepEqual(new Set(states.slice(1)), new Set(['renewed']));
    assert.deepEqual((await mapper.mappings())[0]?.external, mapping.external);
  });

  it('maps again what the gateway has forgotten', async () => {
    const mapper = await start();
    const { external } = await mapped(mapper);
    await mapped(mapper, { ...request, transport: 'udp' });
    await stage.reboot();
    await stage.until(async () => (await ours()).length === 2);
    await stage.until(async () => (await mapper.mappings()).length === 2);
    assert.deepEqual((await mapper.mappings())[0]?.external, external);
  });

  it('leaves it to another host that has taken the port meanwhile', async () => {
    const mapper = await start();
    await mapped(mapper);
    await stage.reboot({ transport: 'tcp', externalPort: PORT });
    await stage.until(async () => (await ours()).length === 1);
    await stage.until(() => {
      const news = last(mapper);
      return news?.state === 'mapped' && news.mapping.external.port !== PORT;
    });
    await stage.settled(mapper.stop());
    assert.deepEqual(await portsOfOthers(), [PORT]);
    assert.deepEqual(await ours(), []);
  });

  scene('another address', 'tells when the gateway has another address', async () => {
    const mapper = await start();
    await mapped(mapper);
    const ip = await stage.readdress();
    await stage.until(() => {
      const news = last(mapper);
      return news?.state === 'mapped' && news.mapping.external.ip === ip;
    });
    assert.deepEqual((await mapper.mappings())[0]?.external, { ip, port: PORT });
    assert.equal((await ours()).length, 1);
  });

  scene('carrier', 'says that a port behind a carrier leads nowhere, and maps none', async () => {
    await stage.hide();
    await failsWith(await start(), 'CARRIER_NAT');
    assert.deepEqual(await ours(), []);
  });

  scene('carrier', 'says so too when it comes about', async () => {
    const mapper = await start();
    await mapped(mapper);
    await stage.hide();
    const lost = { state: 'lost', ...request, code: 'CARRIER_NAT' };
    await stage.until(() => last(mapper)?.state === 'lost');
    assert.deepEqual(last(mapper), lost);
    assert.deepEqual(await mapper.mappings(), []);
  });

  it('removes all when it is stopped', async () => {
    const mapper = await start();
    await mapped(mapper);
    await mapped(mapper, { transport: 'udp', internalPort: PORT + 1 });
    assert.equal((await ours()).length, 2);
    await stage.settled(mapper.stop());
    await stage.settled(mapper.stop());
    assert.deepEqual(await stage.mappings(), []);
  });

  it('takes up again what a crash has left behind', async () => {
    const first = await start();
    await mapped(first);
    await first.crash();
    assert.equal((await ours()).length, 1);
    const second = await start();
    const { external } = await mapped(second, { ...request, preferred: PORT });
    assert.equal(external.port, PORT);
    assert.equal((await ours()).length, 1);
    await stage.settled(second.stop());
    assert.deepEqual(await stage.mappings(), []);
  });

  scene('away', 'says that there is no gateway, and maps when there is one', async () => {
    await stage.takeAway(true);
    const mapper = await start();
    await failsWith(mapper, 'NO_GATEWAY');
    await stage.takeAway(false);
    await stage.until(() => last(mapper)?.state === 'mapped');
    assert.equal((await ours()).length, 1);
  });

  scene('away', 'follows a gateway that goes away and comes back', async () => {
    const mapper = await start();
    const { external } = await mapped(mapper);
    await stage.takeAway(true);
    await stage.until(() => last(mapper)?.state === 'lost');
    assert.deepEqual(await mapper.mappings(), []);
    await stage.takeAway(false);
    await stage.until(() => last(mapper)?.state === 'mapped');
    assert.deepEqual((await mapper.mappings())[0]?.external, external);
    await stage.settled(mapper.stop());
    assert.deepEqual(await ours(), []);
  });
}
