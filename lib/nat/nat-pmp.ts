/** NAT-PMP (RFC 6886): its datagrams, and a client. */
import { ClchatError } from '../errors.ts';
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

export type NatPmpQuestion =
  | { readonly kind: 'address' }
  /** A lifetime of 0 removes the mapping. */
  | ({ readonly kind: 'map' } & MapRequest);

export type NatPmpAnswer = { readonly epoch: number } & (
  | { readonly kind: 'address'; readonly address: string }
  | ({ readonly kind: 'map' } & MapRequest)
  /** `result` as the gateway gave it; to which kind of question. */
  | { readonly kind: 'failure'; readonly to: NatPmpQuestion['kind']; readonly result: number }
);

const VERSION = 0;
const ANSWER = 128;
const ADDRESS = 0;
const OPCODES: Readonly<Record<Transport, number>> = { udp: 1, tcp: 2 };
const RESULT = { unsupportedVersion: 1, refused: 2, networkFailure: 3, outOfResources: 4 } as const;

export function encodeNatPmp(question: NatPmpQuestion): Uint8Array {
  if (question.kind === 'address') return Uint8Array.of(VERSION, ADDRESS);
  const bytes = Buffer.alloc(12);
  bytes.writeUInt8(OPCODES[question.transport], 1);
  bytes.writeUInt16BE(question.internalPort, 4);
  bytes.writeUInt16BE(question.externalPort, 6);
  bytes.writeUInt32BE(question.lifetime, 8);
  return bytes;
}

/** @returns undefined for what is no answer of NAT-PMP */
export function decodeNatPmp(answer: Uint8Array): NatPmpAnswer | undefined {
  const bytes = Buffer.from(answer.buffer, answer.byteOffset, answer.length);
  if (bytes.length < 8 || bytes[0] !== VERSION) return undefined;
  const opcode = bytes.readUInt8(1) - ANSWER;
  const transport = (['udp', 'tcp'] as const).find((one) => OPCODES[one] === opcode);
  if (opcode !== ADDRESS && transport === undefined) return undefined;
  const result = bytes.readUInt16BE(2);
  const epoch = bytes.readUInt32BE(4);
  if (result !== 0)
    return { kind: 'failure', to: transport === undefined ? 'address' : 'map', result, epoch };
  if (transport === undefined) {
    if (bytes.length < 12) return undefined;
    return { kind: 'address', address: bytes.subarray(8, 12).join('.'), epoch };
  }
  if (bytes.length < 16) return undefined;
  return {
    kind: 'map',
    transport,
    internalPort: bytes.readUInt16BE(8),
    externalPort: bytes.readUInt16BE(10),
    lifetime: bytes.readUInt32BE(12),
    epoch,
  };
}

export interface NatPmpOptions extends DatagramOptions {
  readonly clock: Clock;
}

export class NatPmpClient implements GatewayClient {
  readonly protocol = 'nat-pmp';
  readonly gateway: string;
  readonly #datagrams: Datagrams;
  readonly #ledger: EpochLedger;

  private constructor(datagrams: Datagrams, { gateway, clock }: NatPmpOptions) {
    this.#datagrams = datagrams;
    this.gateway = gateway;
    this.#ledger = new EpochLedger(clock);
  }

  /** @throws TIMEOUT where the card is gone */
  static async open(options: NatPmpOptions): Promise<NatPmpClient> {
    return new NatPmpClient(await Datagrams.open(options), options);
  }

  /** Whether the gateway speaks NAT-PMP at all, also where it has no address. */
  async isSpoken(signal: AbortSignal): Promise<boolean> {
    const answer = await this.#ask({ kind: 'address' }, signal);
    return answer.kind !== 'failure' || answer.result !== RESULT.unsupportedVersion;
  }

  async externalAddress(signal: AbortSignal): Promise<string> {
    return addressOf(await this.#ask({ kind: 'address' }, signal));
  }

  async map(request: MapRequest, signal: AbortSignal): Promise<Granted> {
    const answer = await this.#ask({ kind: 'map', ...request }, signal);
    if (answer.kind !== 'map' || answer.externalPort === 0) throw failureOf(answer);
    const { externalPort, lifetime } = answer;
    this.#ledger.add({ ...request, externalPort });
    return { externalPort, lifetime };
  }

  async unmap(mapped: MappedPort, signal: AbortSignal): Promise<void> {
    // The gateway knows by our address which host's mapping is meant (RFC 6886, 3.4).
    const removal = { ...mapped, externalPort: 0, lifetime: 0 };
    const answer = await this.#ask({ kind: 'map', ...removal }, signal);
    if (answer.kind !== 'map') throw failureOf(answer);
    this.#ledger.remove(mapped);
  }

  async isThere(mapped: MappedPort, signal: AbortSignal): Promise<boolean> {
    await this.#ask({ kind: 'address' }, signal);
    return this.#ledger.has(mapped);
  }

  close(): void {
    this.#datagrams.close();
  }

  async #ask(question: NatPmpQuestion, signal: AbortSignal): Promise<NatPmpAnswer> {
    const answer = await this.#datagrams.ask(
      encodeNatPmp(question),
      (bytes) => answerTo(question, bytes),
      signal,
    );
    this.#ledger.note(answer.epoch);
    return answer;
  }
}

/** @returns undefined for bytes that do not answer the question */
export function answerTo(question: NatPmpQuestion, bytes: Uint8Array): NatPmpAnswer | undefined {
  const answer = decodeNatPmp(bytes);
  if (answer === undefined) return undefined;
  if (answer.kind === 'failure') return answer.to === question.kind ? answer : undefined;
  if (answer.kind === 'address' || question.kind === 'address')
    return answer.kind === question.kind ? answer : undefined;
  return isAbout(answer, question) ? answer : undefined;
}

/** Whether an answer is about the mapping asked for; one to a removal is none to a mapping. */
export function isAbout(answer: MapRequest, question: MapRequest): boolean {
  return (
    answer.transport === question.transport &&
    answer.internalPort === question.internalPort &&
    (answer.lifetime === 0) === (question.lifetime === 0)
  );
}

/** The address of the gateway that an answer tells. @throws what the answer says instead */
export function addressOf(answer: NatPmpAnswer): string {
  if (answer.kind !== 'address') throw failureOf(answer);
  if (answer.address === '0.0.0.0') throw carrierNat();
  return answer.address;
}

function failureOf(answer: NatPmpAnswer): ClchatError {
  if (answer.kind !== 'failure') return new ClchatError('BAD_MESSAGE');
  const { result } = answer;
  if (result === RESULT.networkFailure) return carrierNat();
  const code = result === RESULT.outOfResources ? 'PORT_EXHAUSTED' : 'MAPPING_REFUSED';
  return new ClchatError(code, undefined, { data: { natPmp: result } });
}
