/**
 * What is said on the LAN about servers, as DNS-SD records (RFC 6763): a service type, an instance
 * for each server named by its peer id, and in its TXT record the readable name and, as libp2p does
 * it, an address each in `dnsaddr`. All that is read here is from strangers.
 */
import type { Packet } from 'dns-packet';
import { keyOfPeerId, peerIdOf } from './peer-id.ts';
import type { PublicKey } from '../crdt/keys.ts';
import {
  formatEndpoint,
  isLinkLocal6,
  isUnicast,
  tryParseEndpoint,
  type Endpoint,
} from '../interfaces.ts';
import { isName } from '../text.ts';

export const SERVICE = '_clchat._tcp.local';
/** Version of these records. */
const VERSION = '1';
/** How long others may keep the records, in seconds. */
const TTL = 120;
/** Addresses of one server in one packet, which they all fit in without being fragmented. */
export const MAX_ADDRESSES = 5;
/** Records in a packet; one of ours has about ten. */
const MAX_RECORDS = 64;
/** A packet longer than an Ethernet frame is none of ours. */
const MAX_PACKET = 2048;

/** A server as it shows itself on one network. */
export interface Announcement {
  readonly key: PublicKey;
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
}

/** What a packet says about one server. */
export interface Sighting {
  readonly key: PublicKey;
  readonly name: string;
  /** `IP:PORT` each, none for a server that says goodbye. */
  readonly addresses: readonly string[];
}

type Answers = NonNullable<Packet['answers']>;

export const QUESTION: Packet = { questions: [{ name: SERVICE, type: 'PTR' }] };

/** The records of a server; with `goodbye`, the word that it is gone. */
export function toPacket(announcement: Announcement, goodbye = false): Packet {
  const id = peerIdOf(announcement.key);
  const instance = `${id}.${SERVICE}`;
  const target = hostOf(id);
  const endpoints = announcement.endpoints.slice(0, MAX_ADDRESSES);
  const ttl = goodbye ? 0 : TTL;
  const unique = { ttl, flush: true };
  const text = [`id=${id}`, `name=${announcement.name}`, `version=${VERSION}`];
  for (const { ip, family, port } of endpoints)
    text.push(`dnsaddr=/ip${family}/${ip}/tcp/${port}/p2p/${id}`);
  const additionals: Answers = [
    { name: instance, type: 'SRV', data: { port: endpoints[0]?.port ?? 0, target }, ...unique },
    { name: instance, type: 'TXT', data: text, ...unique },
  ];
  for (const { ip, family } of endpoints)
    additionals.push({ name: target, type: family === 4 ? 'A' : 'AAAA', data: ip, ...unique });
  return { answers: [{ name: SERVICE, type: 'PTR', ttl, data: instance }], additionals };
}

/** A look at the bytes that spares parsing nearly all that others say to one another. */
export function concernsUs(bytes: Buffer): boolean {
  if (bytes.length < 12 || bytes.length > MAX_PACKET) return false;
  let records = 0;
  for (let offset = 4; offset < 12; offset += 2) records += bytes.readUInt16BE(offset);
  return records <= MAX_RECORDS && bytes.includes(SERVICE.split('.')[0] as string);
}

/** Whether a query asks for our servers, or for the one with this key. */
export function asks(packet: Packet, key: PublicKey): boolean {
  const id = peerIdOf(key);
  const names = [SERVICE, `${id}.${SERVICE}`, hostOf(id)].map((name) => name.toLowerCase());
  return (packet.questions ?? []).some(({ name }) => names.includes(name.toLowerCase()));
}

/** A name for the server's host; short, since it is repeated in every address record. */
function hostOf(id: string): string {
  return `clchat-${id.slice(-12)}.local`;
}

/** The servers that a response tells of; what is malformed is left out. */
export function sightingsIn(packet: Packet): Sighting[] {
  const records = [...(packet.answers ?? []), ...(packet.additionals ?? [])];
  const sightings = new Map<PublicKey, Sighting>();
  for (const record of records) {
    if (record.type !== 'PTR' || record.name.toLowerCase() !== SERVICE) continue;
    const id = record.data.split('.')[0] ?? '';
    const key = keyOfPeerId(id);
    if (key === undefined || record.data !== `${id}.${SERVICE}`) continue;
    const sighting = record.ttl === 0 ? { key, name: '', addresses: [] } : sight(key, id, records);
    if (sighting !== undefined) sightings.set(key, sighting);
  }
  return [...sightings.values()];
}

function sight(key: PublicKey, id: string, records: Answers): Sighting | undefined {
  const instance = `${id}.${SERVICE}`;
  for (const record of records) {
    if (record.type !== 'TXT' || record.name !== instance) continue;
    const text = (Array.isArray(record.data) ? record.data : [record.data]).map(String);
    const value = (field: string): string | undefined =>
      text.find((line) => line.startsWith(`${field}=`))?.slice(field.length + 1);
    const name = value('name');
    if (name === undefined || !isName(name) || value('version') !== VERSION) return undefined;
    const addresses = text.flatMap((line) => addressIn(line, id)).slice(0, MAX_ADDRESSES);
    return addresses.length === 0 ? undefined : { key, name, addresses };
  }
  return undefined;
}

const DNSADDR = /^dnsaddr=\/ip[46]\/([0-9a-f.:]{2,45})\/tcp\/(\d{1,5})\/p2p\/([0-9A-Za-z]+)$/;

function addressIn(line: string, id: string): string[] {
  const [, ip = '', port, peer] = DNSADDR.exec(line) ?? [];
  if (peer !== id || !isUnicast(ip) || isLinkLocal6(ip)) return [];
  const endpoint = tryParseEndpoint(formatEndpoint({ ip, port: Number(port) }));
  return endpoint === undefined ? [] : [formatEndpoint(endpoint)];
}
