/**
 * A gateway that speaks NAT-PMP and PCP on a socket of 127.0.0.1, written from the RFCs and without
 * anything of the program's own codecs.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** Answers datagrams. */
export class FakeUdp {
  readonly received: Buffer[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket, answer: (bytes: Buffer, from: RemoteInfo) => void) {
    this.#socket = socket;
    socket.on('message', (bytes, from) => {
      this.received.push(bytes);
      answer(bytes, from);
    });
  }

  /** @param answer what is sent back, any number of datagrams */
  static async open(
    answer: (bytes: Buffer, from: RemoteInfo) => readonly Uint8Array[],
    address = '127.0.0.1',
    port = 0,
  ): Promise<FakeUdp> {
    const socket = createSocket('udp4');
    socket.bind(port, address);
    await once(socket, 'listening');
    return new FakeUdp(socket, (bytes, from) => {
      for (const each of answer(bytes, from)) socket.send(each, from.port, from.address);
    });
  }

  get port(): number {
    return this.#socket.address().port;
  }

  send(bytes: Uint8Array, port: number): void {
    this.#socket.send(bytes, port, '127.0.0.1');
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }
}

export interface PmpEntry {
  readonly protocol: 'tcp' | 'udp';
  readonly internalPort: number;
  externalPort: number;
  lifetime: number;
  /** Hexadecimal; of mappings by PCP. */
  readonly nonce?: string;
}

const NAT_PMP_OPCODES = { 1: 'udp', 2: 'tcp' } as const;
const PROTOCOLS = { 6: 'tcp', 17: 'udp' } as const;

/** What a gateway that speaks both has in its memory. */
export class FakePmp {
  address = '11.0.0.2';
  epoch = 1_000;
  /** Instead of 0. */
  natPmpResult = 0;
  pcpResult = 0;
  speaks: readonly ('nat-pmp' | 'pcp')[] = ['nat-pmp', 'pcp'];
  /** External ports of others. */
  readonly taken = new Set<number>();
  readonly entries: PmpEntry[] = [];

  readonly answer = (bytes: Buffer): Buffer[] => {
    if (bytes[0] === 0 && bytes.length >= 2) return [this.#natPmp(bytes)];
    if (bytes[0] === 2 && bytes.length >= 24) return [this.#pcp(bytes)];
    return [];
  };

  #natPmp(bytes: Buffer): Buffer {
    const opcode = bytes.readUInt8(1);
    if (!this.speaks.includes('nat-pmp')) return header(2, opcode, 1, this.epoch);
    const protocol = NAT_PMP_OPCODES[opcode as 1 | 2] as 'udp' | 'tcp' | undefined;
    const answer = Buffer.alloc(protocol === undefined ? 12 : 16);
    answer.writeUInt8(128 + opcode, 1);
    answer.writeUInt16BE(this.natPmpResult, 2);
    answer.writeUInt32BE(this.epoch, 4);
    if (this.natPmpResult !== 0) return answer;
    if (protocol === undefined) {
      answer.set(this.address.split('.').map(Number), 8);
      return answer;
    }
    const entry = this.#map(
      protocol,
      bytes.readUInt16BE(4),
      bytes.readUInt16BE(6),
      bytes.readUInt32BE(8),
    );
    answer.writeUInt16BE(entry.internalPort, 8);
    answer.writeUInt16BE(entry.lifetime === 0 ? 0 : entry.externalPort, 10);
    answer.writeUInt32BE(entry.lifetime, 12);
    return answer;
  }

  #pcp(bytes: Buffer): Buffer {
    const opcode = bytes.readUInt8(1);
    // NAT-PMP's answer to another version (RFC 6886, 3.5).
    if (!this.speaks.includes('pcp')) {
      const answer = Buffer.alloc(8);
      answer.writeUInt8(128 + opcode, 1);
      answer.writeUInt16BE(1, 2);
      answer.writeUInt32BE(this.epoch, 4);
      return answer;
    }
    if (opcode === 0) return header(2, 0, this.pcpResult, this.epoch);
    const payload = Buffer.from(bytes.subarray(24, 60));
    if (this.pcpResult !== 0)
      return Buffer.concat([header(2, 1, this.pcpResult, this.epoch), payload]);
    const nonce = payload.toString('hex', 0, 12);
    const protocol = PROTOCOLS[payload.readUInt8(12) as 6 | 17];
    const internalPort = payload.readUInt16BE(16);
    const same = this.entries.find(
      (e) => e.protocol === protocol && e.internalPort === internalPort,
    );
    if (same?.nonce !== undefined && same.nonce !== nonce)
      return Buffer.concat([header(2, 1, 2, this.epoch), payload]);
    const entry = this.#map(
      protocol,
      internalPort,
      payload.readUInt16BE(18),
      bytes.readUInt32BE(4),
      nonce,
    );
    payload.writeUInt16BE(entry.externalPort, 18);
    payload.set(
      [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...this.address.split('.').map(Number)],
      20,
    );
    const head = header(2, 1, 0, this.epoch);
    head.writeUInt32BE(entry.lifetime, 4);
    return Buffer.concat([head, payload]);
  }

  #map(
    protocol: 'tcp' | 'udp',
    internalPort: number,
    wanted: number,
    lifetime: number,
    nonce?: string,
  ): PmpEntry {
    const at = this.entries.findIndex(
      (one) => one.protocol === protocol && one.internalPort === internalPort,
    );
    const [before] = at < 0 ? [] : this.entries.splice(at, 1);
    let externalPort = before?.externalPort ?? wanted;
    while (this.taken.has(externalPort)) externalPort++;
    const entry = { protocol, internalPort, externalPort, lifetime, ...(nonce && { nonce }) };
    if (lifetime > 0) this.entries.push(entry);
    return entry;
  }
}

function header(version: number, opcode: number, result: number, epoch: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt8(version, 0);
  bytes.writeUInt8(128 + opcode, 1);
  bytes.writeUInt8(result, 3);
  bytes.writeUInt32BE(epoch, 8);
  return bytes;
}
