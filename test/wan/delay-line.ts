/**
 * Holds frames back that come as VXLAN datagrams. Each cable has two of VXLAN's network numbers, 2n and
 * 2n + 1, one for an end: what comes from one end goes to the other. Argument: the UDP port. Commands:
 * `{"cable": n, "delay": milliseconds, "jitter": milliseconds}`.
 */
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';

const port = Number(process.argv[2]);
/** Frames of one end that are on their way; more are lost. */
const MOST_FRAMES = 20_000;
const BUFFER_BYTES = 4 * 1_024 * 1_024;
/** Where in a datagram its network's number is, and how long. */
const [NUMBER_AT, NUMBER_LENGTH] = [4, 3];

interface Waiting {
  readonly due: number;
  readonly datagram: Buffer;
  readonly address: string;
}

const print = (line: object): void => console.log(JSON.stringify(line));
const socket = createSocket({
  type: 'udp4',
  recvBufferSize: BUFFER_BYTES,
  sendBufferSize: BUFFER_BYTES,
});

/** What comes from one end of a cable, in the order in which it came. */
class Direction {
  delay = 0;
  jitter = 0;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  take(datagram: Buffer, address: string): void {
    if (this.#waiting.length >= MOST_FRAMES) return;
    const varied = this.delay + (2 * Math.random() - 1) * this.jitter;
    const due = Math.max(performance.now() + varied, this.#waiting.at(-1)?.due ?? 0);
    this.#waiting.push({ due, datagram, address });
    if (this.#timer === undefined) this.#run();
  }

  #run(): void {
    const now = performance.now();
    let count = 0;
    for (const { due, datagram, address } of this.#waiting) {
      if (due > now) break;
      socket.send(datagram, port, address);
      count++;
    }
    this.#waiting = this.#waiting.slice(count);
    const next = this.#waiting[0];
    this.#timer = next && setTimeout(() => this.#run(), next.due - now);
  }
}

const directions = new Map<number, Direction>();

socket.on('message', (datagram, { address }) => {
  const number = datagram.readUIntBE(NUMBER_AT, NUMBER_LENGTH);
  datagram.writeUIntBE(number ^ 1, NUMBER_AT, NUMBER_LENGTH);
  directions.get(number)?.take(datagram, address);
});
socket.bind(port, () => print({ type: 'ready' }));

const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  const { cable, delay, jitter } = JSON.parse(line) as Record<'cable' | 'delay' | 'jitter', number>;
  for (const number of [2 * cable, 2 * cable + 1]) {
    const direction = directions.get(number) ?? new Direction();
    directions.set(number, Object.assign(direction, { delay, jitter }));
  }
  print({ type: 'set', cable });
});
input.on('close', () => socket.close());
