/**
 * Listening for browsers: a libp2p transport that takes WebSocket connections and dials none.
 * libp2p's own leaves sockets open that say nothing or that it has given up, takes messages of
 * 100 MiB, and cannot make a fast sender wait.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  NotStartedError,
  serviceCapabilities,
  transportSymbol,
  TypedEventEmitter,
  type ComponentLogger,
  type CreateListenerOptions,
  type Listener,
  type ListenerEvents,
  type Logger,
  type Transport,
} from '@libp2p/interface';
import { AbstractMultiaddrConnection, ipPortToMultiaddr } from '@libp2p/utils';
import type { Multiaddr } from '@multiformats/multiaddr';
import { WebSocketServer, type WebSocket } from 'ws';
import { ClchatError } from '../errors.ts';

/** Largest message, in bytes; Noise sends at most 64 KiB at once. */
const MAX_MESSAGE = 128 * 1024;
/** Frames that a message may come in, and pieces that the network may cut it into. */
const MAX_FRAGMENTS = 128;
const MAX_PIECES = 2_048;
/**
 * Bytes, with those of WebSocket itself, until it is known who the other side is. The gate counts
 * whole messages; what has come of one that is not finished is kept here.
 */
const MAX_OPENING = 32 * 1024;
/** How long a closed connection may take to say goodbye, in milliseconds. */
const GOODBYE_MS = 1_000;

const LIMITS = {
  noServer: true,
  maxPayload: MAX_MESSAGE,
  maxFragments: MAX_FRAGMENTS,
  maxBufferedChunks: MAX_PIECES,
  perMessageDeflate: false,
} as const;

interface Options {
  /** Sockets at once, finished handshakes or not. */
  readonly maxConnections: number;
  /** How long a client may take for its HTTP request, in milliseconds. */
  readonly requestMs: number;
}

export function webSocketListening(options: Options) {
  return (components: { logger: ComponentLogger }): Transport => ({
    [transportSymbol]: true,
    [Symbol.toStringTag]: '@clchat/websocket',
    [serviceCapabilities as symbol]: ['@libp2p/transport'],
    dial: () => Promise.reject(new NotStartedError('WebSockets are only listened for')),
    dialFilter: () => [],
    listenFilter: (addresses) =>
      addresses.filter((address) => address.getComponents().at(-1)?.name === 'ws'),
    createListener: ({ upgrader }) =>
      new WebSocketListener(upgrader, components.logger.forComponent('websocket'), options),
  });
}

class WebSocketListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #upgrader: CreateListenerOptions['upgrader'];
  readonly #log: Logger;
  readonly #http: Server;
  readonly #webSockets = new WebSocketServer(LIMITS);
  readonly #sockets = new Set<Socket>();
  readonly #stopping = new AbortController();
  #address: Multiaddr | undefined;

  constructor(upgrader: CreateListenerOptions['upgrader'], log: Logger, options: Options) {
    super();
    this.#upgrader = upgrader;
    this.#log = log;
    this.#http = createServer({
      headersTimeout: options.requestMs,
      requestTimeout: options.requestMs,
      connectionsCheckingInterval: options.requestMs / 4,
      maxHeaderSize: 8192,
    });
    this.#http.maxConnections = options.maxConnections;
    this.#http.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#http.on('request', (_request, response) => {
      response.writeHead(426, { connection: 'close' }).end('This is a clchat server.\n');
    });
    this.#http.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
  }

  async listen(address: Multiaddr): Promise<void> {
    const [host, port] = address.getComponents();
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen(
        { host: host?.value, port: Number(port?.value), ipv6Only: host?.name === 'ip6' },
        () => {
          this.#http.off('error', reject);
          resolve();
        },
      );
    });
    this.#address = address;
    this.safeDispatchEvent('listening');
  }

  getAddrs(): Multiaddr[] {
    const { address, port } = (this.#http.address() ?? {}) as Partial<AddressInfo>;
    if (address === undefined || port === undefined) return [];
    return [ipPortToMultiaddr(address, port).encapsulate('/ws')];
  }

  updateAnnounceAddrs(): void {
    // Nothing in an address of this kind changes.
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    const closed = new Promise((resolve) => this.#http.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    if (this.#address !== undefined) await closed;
    this.safeDispatchEvent('close');
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // From here on it is not the HTTP server's any more, and without a listener an error is thrown.
    socket.on('error', () => socket.destroy());
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { remoteAddress, remotePort } = request.socket;
      if (remoteAddress === undefined || remotePort === undefined) return webSocket.terminate();
      const connection = new WebSocketConnection(
        webSocket,
        request.socket,
        ipPortToMultiaddr(remoteAddress, remotePort).encapsulate('/ws'),
        this.#log,
      );
      const unlimit = limitOpening(request.socket, connection);
      this.#upgrader
        .upgradeInbound(connection, { signal: this.#stopping.signal })
        .catch((error: Error) => connection.abort(error))
        .finally(unlimit);
    });
  }
}

/** @returns ends the limit */
function limitOpening(socket: Socket, connection: WebSocketConnection): () => void {
  // Counted beside the WebSocket's own listener, which keeps what comes of a message.
  const count = (): void => {
    if (socket.bytesRead > MAX_OPENING) connection.abort(new ClchatError('BAD_MESSAGE'));
  };
  socket.on('data', count);
  return () => socket.off('data', count);
}

class WebSocketConnection extends AbstractMultiaddrConnection {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;

  constructor(webSocket: WebSocket, socket: Socket, remoteAddr: Multiaddr, log: Logger) {
    super({ remoteAddr, log, direction: 'inbound' });
    this.#webSocket = webSocket;
    this.#socket = socket;
    webSocket.on('message', (data: Buffer, binary: boolean) => {
      if (binary) this.onData(data);
      else this.abort(new Error('text where bytes were expected'));
    });
    webSocket.on('error', (error: Error) => this.abort(error));
    webSocket.on('close', () => this.onTransportClosed());
    socket.on('drain', () => this.safeDispatchEvent('drain'));
  }

  override sendData(data: { byteLength: number; subarray(): Uint8Array }): {
    sentBytes: number;
    canSendMore: boolean;
  } {
    const sentBytes = data.byteLength;
    this.#webSocket.send(data.subarray());
    return { sentBytes, canSendMore: !this.#socket.writableNeedDrain };
  }

  override async sendClose(): Promise<void> {
    this.#webSocket.close();
    const timer = setTimeout(() => this.#webSocket.terminate(), GOODBYE_MS);
    this.#webSocket.on('close', () => clearTimeout(timer));
  }

  override sendReset(): void {
    this.#webSocket.terminate();
  }

  override sendPause(): void {
    this.#webSocket.pause();
  }

  override sendResume(): void {
    this.#webSocket.resume();
  }
}
