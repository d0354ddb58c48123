/**
 * Who may come in. libp2p's own limits are by number only: ten half-open connections would keep
 * everybody else out. Here the newest always gets its chance, at the cost of whoever has been
 * half-open longest at the address that has most of them.
 */
import type { ConnectionGater, MultiaddrConnection } from '@libp2p/interface';
import { AbstractMessageStream } from '@libp2p/utils';
import type { Multiaddr } from '@multiformats/multiaddr';
import { ClchatError } from '../errors.ts';
import { networkOf } from '../ip-bytes.ts';

/** Bytes that a peer may send before its handshake is finished; an honest one sends about 500. */
const MAX_HANDSHAKE = 16 * 1024;

export interface GateLimits {
  /** Connections whose handshake is not finished. */
  readonly pending: number;
  /** Established inbound connections, in all and from one address. */
  readonly inbound: number;
  readonly inboundPerHost: number;
}

export class Gate implements ConnectionGater {
  readonly #limits: GateLimits;
  /** In order of arrival. */
  readonly #pending = new Map<MultiaddrConnection, string>();
  readonly #established = new Map<MultiaddrConnection, string>();
  #isShut = false;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** Lets nobody in any more. */
  shut(): void {
    this.#isShut = true;
  }

  denyInboundConnection(connection: MultiaddrConnection): boolean {
    if (this.#isShut) return true;
    const host = hostOf(connection);
    if (this.#established.size >= this.#limits.inbound) return true;
    if (count(this.#established, host) >= this.#limits.inboundPerHost) return true;
    if (this.#pending.size >= this.#limits.pending) this.#evict();
    this.#pending.set(connection, host);
    limitHandshake(connection);
    connection.addEventListener('close', () => {
      this.#pending.delete(connection);
      this.#established.delete(connection);
    });
    return false;
  }

  denyInboundEncryptedConnection(peer: { type: string }): boolean {
    return peer.type !== 'Ed25519';
  }

  denyOutboundEncryptedConnection(peer: { type: string }): boolean {
    return peer.type !== 'Ed25519';
  }

  denyInboundUpgradedConnection(_peer: unknown, connection: MultiaddrConnection): boolean {
    // Begun from here, where the other side was to speak first.
    if (connection.direction === 'outbound') return false;
    const host = this.#pending.get(connection);
    // Evicted or closed in the meantime.
    if (host === undefined) return true;
    this.#pending.delete(connection);
    unlimitHandshake(connection);
    this.#established.set(connection, host);
    return false;
  }

  #evict(): void {
    const counts = new Map<string, number>();
    let busiest: string | undefined;
    for (const host of this.#pending.values()) {
      const size = (counts.get(host) ?? 0) + 1;
      counts.set(host, size);
      if (size > (counts.get(busiest ?? '') ?? 0)) busiest = host;
    }
    for (const [connection, host] of this.#pending) {
      if (host !== busiest) continue;
      this.#pending.delete(connection);
      connection.abort(new ClchatError('RATE_LIMITED'));
      return;
    }
  }
}

/**
 * libp2p would keep up to 4 MiB for every half-open connection. Bytes are counted where they come in:
 * a listener of our own would make libp2p believe that they have been taken.
 */
export function limitHandshake(connection: MultiaddrConnection): void {
  if (!(connection instanceof AbstractMessageStream)) return;
  let received = 0;
  connection.onData = function onData(data) {
    received += data.byteLength;
    if (received <= MAX_HANDSHAKE) AbstractMessageStream.prototype.onData.call(this, data);
    else this.abort(new ClchatError('BAD_MESSAGE'));
  };
}

export function unlimitHandshake(connection: MultiaddrConnection): void {
  // Uncovers the method of its class.
  if (connection instanceof AbstractMessageStream) Reflect.deleteProperty(connection, 'onData');
}

/** The host of a peer, as far as it can be told: whoever has one address of IPv6 has its whole network. */
export function hostOf({ remoteAddr }: { readonly remoteAddr: Multiaddr }): string {
  return networkOf(remoteAddr.getComponents()[0]?.value ?? '');
}

function count(connections: ReadonlyMap<unknown, string>, host: string): number {
  let size = 0;
  for (const other of connections.values()) if (other === host) size++;
  return size;
}
