/**
 * Programs on the hosts of an internet that try who reaches whom, and how. Each host does one thing at
 * a time.
 */
import { fileURLToPath } from 'node:url';
import type { Line, LabProcess } from '../lan/process.ts';
import type { WanLab } from './lab.ts';

const SCRIPT = fileURLToPath(new URL('./fixtures/probe.ts', import.meta.url));
/** How long an answer may take more than the time it was given, with the start of a probe. */
const GRACE_MS = 20_000;
const WITHIN_MS = 1_000;

export interface Question {
  /** Of the host that asks; any when left out. */
  readonly from?: number;
  readonly transport?: 'tcp' | 'udp';
  /** Milliseconds after which no answer is expected any more; 1,000 when left out. */
  readonly within?: number;
}

export class Probes {
  readonly #lab: WanLab;
  readonly #running = new Map<string, LabProcess>();
  #last = 0;

  constructor(lab: WanLab) {
    this.#lab = lab;
  }

  /** Answers everybody on a port with whom it hears. */
  async serve(host: string, port: number): Promise<void> {
    await this.#command(host, { do: 'serve', port });
  }

  /**
   * Asks a host that serves.
   * @returns as whom it is seen, `IP:PORT`, or why it is not: `TIMEOUT`, `ECONNREFUSED`, …
   */
  async ask(host: string, to: string, port: number, question: Question = {}): Promise<string> {
    const { seen, code } = await this.#ask(host, to, port, question);
    return String(seen ?? code);
  }

  /** As `ask`. @returns the milliseconds there and back; Infinity without an answer */
  async roundTrip(
    host: string,
    to: string,
    port: number,
    question: Question = {},
  ): Promise<number> {
    const { seen, milliseconds } = await this.#ask(host, to, port, question);
    return seen === undefined ? Infinity : Number(milliseconds);
  }

  /** Sends a datagram, or over TCP a request. @returns what comes back; undefined for nothing */
  async exchange(
    host: string,
    to: string,
    port: number,
    request: Uint8Array,
    question: Question = {},
  ): Promise<Buffer | undefined> {
    const sent = Buffer.from(request).toString('hex');
    const asked = { transport: 'udp', ...question, hex: sent } as const;
    const { hex } = await this.#ask(host, to, port, asked);
    return typeof hex === 'string' ? Buffer.from(hex, 'hex') : undefined;
  }

  /** Whether a datagram comes to a port from which the host has asked before, or has come since. */
  async hears(host: string, port: number, within = WITHIN_MS): Promise<boolean> {
    const { code } = await this.#command(host, { do: 'hear', from: port, within });
    return code === undefined;
  }

  /** Sends datagrams to a host that serves, ten every so many milliseconds. */
  async burst(host: string, to: string, port: number, count: number, every: number): Promise<void> {
    await this.#command(host, { do: 'burst', to, port, count, every });
  }

  /** The datagrams that have come to a host that serves since this was last asked. */
  async heard(host: string): Promise<number> {
    return Number((await this.#command(host, { do: 'count' }))['heard']);
  }

  /** Sends that much to a host that serves. @returns the milliseconds until it had all of it */
  async pour(host: string, to: string, port: number, bytes: number): Promise<number> {
    return Number((await this.#command(host, { do: 'pour', to, port, bytes }))['milliseconds']);
  }

  #ask(
    host: string,
    to: string,
    port: number,
    question: Question & { hex?: string },
  ): Promise<Line> {
    const asked = { transport: 'tcp', from: 0, within: WITHIN_MS, ...question };
    return this.#command(host, { do: 'ask', to, port, ...asked });
  }

  async #command(host: string, command: Line): Promise<Line> {
    let probe = this.#running.get(host);
    if (probe === undefined || probe.hasExited) {
      probe = this.#lab.host(host).runTypeScript(SCRIPT);
      this.#running.set(host, probe);
    }
    const id = ++this.#last;
    probe.send(JSON.stringify({ id, ...command }));
    const within = Number(command['within'] ?? 0) + GRACE_MS;
    return probe.next((line) => line['id'] === id, within, JSON.stringify(command));
  }
}
