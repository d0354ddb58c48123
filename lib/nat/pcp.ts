/** PCP (RFC 6887), as far as mapping ports of IPv4 needs it: its datagrams, and a client. */
import { isIPv4 } from 'node:net';
import { ClchatError, hasCode, type ErrorCode } from '../errors.ts';
import type { Clock } from '../lifecycle.ts';
import { Datagrams, type DatagramOptions } from './datagrams.ts';
import { EpochLedger } from './epoch.ts';
import {
  carrierNat,
  type GatewayClient,
  type Granted,
  type MappedPort,
  type MapRequest,
  type Transport,
} from './gateway-client.ts';
import { addressOf, answerTo, encodeNatPmp, isAbout } from './nat-pmp.ts';

/** Bytes of the nonce by which a gateway knows whose mapping is meant. */
export const NONCE_BYTES = 12;

export type PcpQuestion = {
  /** IPv4 address of this host. */
  readonly own: string;
} & (
  | { readonly kind: 'announce' }
  /** A lifetime of 0 removes the mapping. */
  | ({ readonly kind: 'map'; readonly nonce: Uint8Array } & MapRequest)
);

export type PcpAnswer =
  | { readonly kind: 'announce'; readonly epoch: number }
  | ({
      readonly kind: 'map';
      readonly nonce: Uint8Array;
      readonly epoch: number;
      /** IPv4. */
      readonly externalAddress: string;
    } & MapRequest)
  | {
      readonly kind: 'failure';
      /** `any` where the gateway does not say, or speaks another version. */
      readonly to: PcpQuestion['kind'] | 'any';
      readonly result: number;
      readonly epoch: number;
      /** Which mapping it is about, where the answer repeats it. */
      readonly nonce?: Uint8Array;
    };

const VERSION = 2;
const ANSWER = 128;
const OPCODES = { announce: 0, map: 1 } as const;
const PROTOCOLS: Readonly<Record<Transport, number>> = { tcp: 6, udp: 17 };
const HEADER = 24;
const MAP_BYTES = 60;
/** The first bytes of an IPv4 address that stands in the place of one of IPv6. */
const IPV4_MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

const RESULT = {
  unsupportedVersion: 1,
  unsupportedOpcode: 4,
  networkFailure: 7,
  noResources: 8,
  userExceededQuota: 10,
  cannotProvideExternal: 11,
} as const;

export function encodePcp(question: PcpQuestion): Uint8Array {
  const bytes = Buffer.alloc(question.kind === 'map' ? MAP_BYTES : HEADER);
  bytes.writeUInt8(VERSION, 0);
  bytes.writeUInt8(OPCODES[question.kind], 1);
  writeIpv4(bytes, question.own, 8);
  if (question.kind === 'announce') return bytes;
  bytes.writeUInt32BE(question.lifetime, 4);
  bytes.set(question.nonce, HEADER);
  bytes.writeUInt8(PROTOCOLS[question.transport], 36);
  bytes.writeUInt16BE(question.internalPort, 40);
  bytes.writeUInt16BE(question.externalPort, 42);
  // Any address of the gateway, of IPv4.
  writeIpv4(bytes, '0.0.0.0', 44);
  return bytes;
}

function writeIpv4(bytes: Buffer, ip: string, at: number): void {
  bytes.set(IPV4_MAPPED, at);
  bytes.set(ip.split('.').map(Number), at + IPV4_MAPPED.length);
}

/** @returns undefined for what is no answer of PCP */
export function decodePcp(answer: Uint8Array): PcpAnswer | undefined {
  const bytes = Buffer.from(answer.buffer, answer.byteOffset, answer.length);
  if (bytes.length < 8 || bytes.readUInt8(1) < ANSWER) return undefined;
  // A gateway that knows NAT-PMP only answers in that (RFC 6887, appendix A).
  if (bytes[0] !== VERSION) {
    const result = RESULT.unsupportedVersion;
    return bytes[0] === 0 && bytes.readUInt16BE(2) === result
      ? { kind: 'failure', to: 'any', result, epoch: bytes.readUInt32BE(4) }
      : undefined;
  }
  if (bytes.length < HEADER) return undefined;
  const opcode = bytes.readUInt8(1) - ANSWER;
  const kind = (['announce', 'map'] as const).find((one) => OPCODES[one] === opcode);
  if (kind === undefined) return undefined;
  const [result, epoch] = [bytes.readUInt8(3), bytes.readUInt32BE(8)];
  const isWhole = kind === 'map' && bytes.length >= MAP_BYTES;
  const nonce = isWhole ? Uint8Array.from(bytes.subarray(HEADER, HEADER + NONCE_BYTES)) : undefined;
  if (result !== 0) return { kind: 'failure', to: kind, result, epoch, ...(nonce && { nonce }) };
  if (kind === 'announce') return { kind, epoch };
  const transport = (['tcp', 'udp'] as const).find((one) => PROTOCOLS[one] === bytes[36]);
  const isIpv4 = bytes.subarray(44, 56).equals(IPV4_MAPPED);
  if (nonce === undefined || transport === undefined || !isIpv4) return undefined;
  return {
    kind,
    nonce,
    epoch,
    transport,
    lifetime: bytes.readUInt32BE(4),
    internalPort: bytes.readUInt16BE(40),
    externalPort: bytes.readUInt16BE(42),
    externalAddress: bytes.subarray(56, 60).join('.'),
  };
}

export interface PcpOptions extends DatagramOptions {
  /** `NONCE_BYTES`; the same again after a restart, so that what was left behind is ours still. */
  readonly nonce: Uint8Array;
  readonly clock: Clock;
}

export class PcpClient implements GatewayClient {
  readonly protocol = 'pcp';
  readonly gateway: string;
  readonly #own: string;
  readonly #nonce: Uint8Array;
  readonly #datagrams: Datagrams;
  readonly #ledger: EpochLedger;

  private constructor(datagrams: Datagrams, { gateway, own, nonce, clock }: PcpOptions) {
    this.#datagrams = datagrams;
    this.gateway = gateway;
    this.#own = own;
    this.#nonce = nonce;
    this.#ledger = new EpochLedger(clock);
  }

  /** @throws TIMEOUT where the card is gone */
  static async open(options: PcpOptions): Promise<PcpClient> {
    if (options.nonce.length !== NONCE_BYTES || !isIPv4(options.own))
      throw new ClchatError('INTERNAL', 'a nonce of 12 bytes and an address of IPv4 are needed');
    return new PcpClient(await Datagrams.open(options), options);
  }

  /** Whether the gateway speaks PCP at all. */
  async isSpoken(signal: AbortSignal): Promise<boolean> {
    const answer = await this.#ask({ kind: 'announce', own: this.#own }, signal);
    return answer.kind !== 'failure' || answer.result === RESULT.unsupportedOpcode;
  }

  /**
   * PCP tells the address with a mapping only: one that there is is renewed. Where there is none, or it is
   * refused now, the gateway is asked by NAT-PMP, which those that speak PCP mostly speak too.
   */
  async externalAddress(signal: AbortSignal): Promise<string> {
    const mapped = this.#ledger.one;
    if (mapped === undefined) return this.#addressByNatPmp(signal);
    try {
      return (await this.map(mapped, signal)).externalAddress;
    } catch (error) {
      const isRefused = hasCode(error, 'PORT_EXHAUSTED') || hasCode(error, 'MAPPING_REFUSED');
      if (!isRefused) throw error;
      const reason = await this.#addressByNatPmp(signal).catch((failure: unknown) => failure);
      // A gateway that has no address any more refuses in many words.
      if (typeof reason === 'string') return reason;
      throw hasCode(reason, 'CARRIER_NAT') ? reason : error;
    }
  }

  async #addressByNatPmp(signal: AbortSignal): Promise<string> {
    const question = { kind: 'address' } as const;
    const answer = await this.#datagrams.ask(
      encodeNatPmp(question),
      (bytes) => answerTo(question, bytes),
      signal,
    );
    return addressOf(answer);
  }

  async map(request: MapRequest, signal: AbortSignal): Promise<Required<Granted>> {
    const answer = await this.#ask(this.#questionOf(request), signal);
    if (answer.kind !== 'map' || answer.externalPort === 0) throw failureOf(answer);
    const { externalPort, lifetime, externalAddress } = answer;
    this.#ledger.add({ ...request, externalPort });
    if (externalAddress === '0.0.0.0') throw carrierNat();
    return { externalPort, lifetime, externalAddress };
  }

  async unmap(mapped: MappedPort, signal: AbortSignal): Promise<void> {
    // The gateway knows by our address and the nonce which mapping is meant (RFC 6887, 15).
    const removal = { ...mapped, externalPort: 0, lifetime: 0 };
    const answer = await this.#ask(this.#questionOf(removal), signal);
    if (answer.kind !== 'map') throw failureOf(answer);
    this.#ledger.remove(mapped);
  }

  async isThere(mapped: MappedPort, signal: AbortSignal): Promise<boolean> {
    await this.#ask({ kind: 'announce', own: this.#own }, signal);
    return this.#ledger.has(mapped);
  }

  close(): void {
    this.#datagrams.close();
  }

  #questionOf(request: MapRequest): PcpQuestion {
    return { kind: 'map', own: this.#own, nonce: this.#nonce, ...request };
  }

  async #ask(question: PcpQuestion, signal: AbortSignal): Promise<PcpAnswer> {
    const answer = await this.#datagrams.ask(
      encodePcp(question),
      (bytes) => answerToPcp(question, bytes),
      signal,
    );
    this.#ledger.note(answer.epoch);
    return answer;
  }
}

function answerToPcp(question: PcpQuestion, bytes: Uint8Array): PcpAnswer | undefined {
  const answer = decodePcp(bytes);
  if (answer === undefined) return undefined;
  if (answer.kind === 'failure') {
    const { to, nonce } = answer;
    if (to !== 'any' && to !== question.kind) return undefined;
    const isOurs = nonce === undefined || question.kind !== 'map' || isSame(nonce, question.nonce);
    return isOurs ? answer : undefined;
  }
  if (answer.kind === 'announce' || question.kind === 'announce')
    return answer.kind === question.kind ? answer : undefined;
  return isSame(answer.nonce, question.nonce) && isAbout(answer, question) ? answer : undefined;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  [RESULT.noResources]: 'PORT_EXHAUSTED',
  [RESULT.userExceededQuota]: 'PORT_EXHAUSTED',
  [RESULT.cannotProvideExternal]: 'PORT_TAKEN',
};

function failureOf(answer: PcpAnswer): ClchatError {
  if (answer.kind !== 'failure') return new ClchatError('BAD_MESSAGE');
  const { result } = answer;
  if (result === RESULT.networkFailure) return carrierNat();
  return new ClchatError(CODES[result] ?? 'MAPPING_REFUSED', undefined, { data: { pcp: result } });
}
