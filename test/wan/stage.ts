/** What tests on an internet are about: the internet, who reaches whom on it, and raw requests. */
import assert from 'node:assert/strict';
import { WanLab, type WanOptions } from './lab.ts';
import { Probes, type Question } from './probes.ts';

/** Internets take their time, which is for the long suite. */
export function describeLong(title: string, tests: (this: Mocha.Suite) => void): void {
  // Looked up now: where files share a process, each of them has a `describe` of its own.
  if (process.env['CLCHAT_FULL'] !== undefined) describe(title, tests);
}

export const PORT = 7_000;
const PORT_CONTROL = 5_351;

export class Stage {
  lab!: WanLab;
  probes!: Probes;

  /** @param serving hosts that answer everybody on `PORT` */
  async build(options: WanOptions, serving: readonly string[]): Promise<void> {
    this.lab = await WanLab.create(options);
    this.probes = new Probes(this.lab);
    await Promise.all(serving.map((host) => this.probes.serve(host, PORT)));
  }

  address(name: string): string {
    return this.lab.host(name).address;
  }

  /** As whom a host is seen by another one that serves, or why it is not. */
  ask(host: string, to: string, question?: Question): Promise<string> {
    return this.probes.ask(host, this.address(to), PORT, question);
  }

  /**
   * That a host reaches another one that serves. After a change on the way this may take a second or
   * two, as hardware addresses are asked for again.
   * @returns as whom it is seen
   */
  async reaches(host: string, to: string, question?: Question): Promise<string> {
    const seen = await this.ask(host, to, { within: 10_000, ...question });
    assert.match(seen, /^11\./, `${host} does not reach ${to}`);
    return seen;
  }

  /** That a host does not reach another one. */
  async isCutOff(host: string, to: string, question?: Question): Promise<void> {
    assert.doesNotMatch(await this.ask(host, to, question), /^11\./, `${host} reaches ${to}`);
  }

  /** What a host's router answers by NAT-PMP or PCP. */
  exchange(host: string, request: Buffer, question?: Question): Promise<Buffer | undefined> {
    const { gateway } = this.lab.host(host);
    return this.probes.exchange(host, gateway, PORT_CONTROL, request, question);
  }

  /** Asks a host's router by NAT-PMP. @returns how that went; undefined without an answer */
  async map(host: string, port: number): Promise<number | undefined> {
    return (await this.exchange(host, natPmp(port)))?.readUInt16BE(2);
  }
}

/** To be called inside a `describe`: one internet for all of its tests, gone after them. */
export function stageFor(options: WanOptions, ...serving: string[]): Stage {
  const stage = new Stage();
  before(() => stage.build(options, serving));
  after(() => stage.lab.destroy());
  return stage;
}

/** As `stageFor`, with another one for each test. */
export function stageForEach(options: WanOptions, ...serving: string[]): Stage {
  const stage = new Stage();
  beforeEach(() => stage.build(options, serving));
  afterEach(() => stage.lab.destroy());
  return stage;
}

/** The request of NAT-PMP for the address of the router. */
export const NAT_PMP_ADDRESS = Buffer.alloc(2);

/** A request of NAT-PMP for a TCP port, for an hour. */
export function natPmp(port: number): Buffer {
  const request = Buffer.alloc(12);
  request[1] = 2;
  request.writeUInt16BE(port, 4);
  request.writeUInt16BE(port, 6);
  request.writeUInt32BE(3_600, 8);
  return request;
}

/** A request of PCP for a TCP port, for an hour. */
export function pcp(own: string, port: number): Buffer {
  const request = Buffer.alloc(60);
  request[0] = 2;
  request[1] = 1;
  request.writeUInt32BE(3_600, 4);
  request.fill(0xff, 18, 20);
  request.set(own.split('.').map(Number), 20);
  request.fill(7, 24, 36);
  request[36] = 6;
  request.writeUInt16BE(port, 40);
  request.writeUInt16BE(port, 42);
  request.fill(0xff, 54, 56);
  return request;
}
