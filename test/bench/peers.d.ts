/** The little that the benches use of packages that only they have; see `package.json` here. */

declare module 'socket.io' {
  import type { Server as HttpServer } from 'node:http';

  export interface Socket {
    on(event: string, handler: (...args: unknown[]) => void): void;
    join(room: string): void;
    to(room: string): { emit(event: string, ...args: unknown[]): void };
  }
  export class Server {
    constructor(port: number, options: { transports: string[]; host?: string });
    on(event: 'connection', handler: (socket: Socket) => void): void;
    readonly httpServer: HttpServer;
    close(): Promise<void>;
  }
}

declare module 'socket.io-client' {
  export interface Socket {
    on(event: string, handler: (...args: unknown[]) => void): void;
    once(event: string, handler: (...args: unknown[]) => void): void;
    emit(event: string, ...args: unknown[]): void;
    disconnect(): void;
  }
  export function io(
    url: string,
    options: { transports: string[]; forceNew: boolean; reconnection: boolean },
  ): Socket;
}

declare module 'hypercore' {
  import type { Duplex } from 'node:stream';

  export default class Hypercore {
    constructor(directory: string, key?: Uint8Array);
    readonly key: Uint8Array;
    ready(): Promise<void>;
    append(block: Uint8Array | readonly Uint8Array[]): Promise<unknown>;
    replicate(isInitiator: boolean): Duplex;
    download(range: { start: number; end: number }): { done(): Promise<unknown> };
    close(): Promise<void>;
  }
}
