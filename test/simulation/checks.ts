/** What has to be so when a run is over. */
import assert from 'node:assert/strict';
import { toHex } from '../../lib/crdt/bytes.ts';
import { relationOf } from '../../lib/crdt/contact.ts';
import type { LogStore } from '../../lib/crdt/log-store.ts';
import { isEncryptedRoom } from '../../lib/crdt/rooms.ts';
import { pairStream, placeOfStream, type StreamName } from '../../lib/crdt/stream.ts';
import type { Home } from '../../lib/node/client/home.ts';
import type { Holder } from './attachments.ts';
import { LOBBY, type SimulatedClient } from './world.ts';

export interface Spoken {
  /** Number of the client. */
  readonly by: number;
  readonly text: string;
  readonly stream: StreamName;
  /** What the author was told. */
  answer: string | undefined;
}

/** All replicas are equal, byte for byte, and nothing waits to be sent. */
export async function checkReplicas(
  holders: readonly Holder[],
  server: LogStore,
  seed: string,
): Promise<void> {
  for (const { name, client, isCurrent } of holders) {
    assert.ok(client.connected, `${seed}: ${name} is not connected`);
    const { home } = client;
    const unsent = home.outbox
      .waiting()
      .map(
        ({ stream, seq, kind }) =>
          `${kind} ${seq} of ${stream}, head ${server.headOf(stream).length}`,
      );
    assert.deepEqual(unsent, [], `${seed}: ${name} has unsent entries`);
    for (const stream of await home.replica.log.names()) {
      // Whoever was put out keeps what they had.
      if (!isCurrent(stream)) continue;
      const mine = await dump(home.replica.log, stream);
      const theirs = await dump(server, stream);
      assert.equal(mine.length, theirs.length, `${seed}: ${name} ${stream} length`);
      // A replica may lack what was sealed before its device came.
      for (const [position, bytes] of mine.items)
        assert.equal(bytes, theirs.items.get(position), `${seed}: ${name} ${stream} ${position}`);
      assert.ok(await home.replica.verifyState(stream), `${seed}: ${name} ${stream} state`);
    }
  }
}

async function dump(
  log: LogStore,
  stream: StreamName,
): Promise<{ length: number; items: Map<number, string> }> {
  const { length } = log.headOf(stream);
  const items = new Map<number, string>();
  for await (const { position, item } of log.items(stream, 0, length))
    items.set(position, toHex(item.bytes));
  return { length, items };
}

/** What two accounts are to each other is the same on both sides, and at the server. */
export async function checkContacts(
  holders: readonly Holder[],
  server: LogStore,
  seed: string,
): Promise<void> {
  for (const { name, client } of holders)
    for (const { home: other } of holders.map((one) => one.client)) {
      const { account, contacts } = client.home;
      if (account === other.account) continue;
      const { state } = await server.open(pairStream(account, other.account));
      const expected = relationOf(state, account, other.account);
      const relation = await contacts.relation(other.account);
      assert.equal(relation, expected, `${seed}: what ${other.name} is to ${name}`);
    }
}

interface Said {
  readonly spoken: readonly Spoken[];
  readonly clients: readonly SimulatedClient[];
  readonly holders: readonly Holder[];
  /** Those who were removed with all that they had said. */
  readonly guests: readonly number[];
}

/** Nothing acknowledged is lost, nothing is there twice, and everybody was told in order. */
export async function checkSpoken(
  { spoken, clients, holders, guests }: Said,
  everCrashed: ReadonlySet<number>,
  seed: string,
): Promise<void> {
  const texts = new Map<StreamName, string[]>();
  for (const { client } of holders)
    for (const stream of await client.home.replica.log.names()) {
      // In an encrypted room everybody reads what was said while they were in it.
      if (texts.has(stream) || isPrivate(client.home, stream)) continue;
      const messages = await client.home.conversations.newest(stream, 1e6);
      const held = messages.filter(({ state }) => state === 'held').map(({ text }) => text);
      texts.set(stream, held);
    }
  for (const { answer, text, stream, by } of spoken) {
    if (!texts.has(stream)) continue;
    const count = (texts.get(stream) ?? []).filter((one) => one === text).length;
    assert.ok(count <= 1, `${seed}: ${text} is there ${count} times`);
    if (guests.includes(by)) {
      assert.equal(count, 0, `${seed}: ${text} of ${stream} is still there`);
      continue;
    }
    if (answer === 'held') assert.equal(count, 1, `${seed}: ${text} was acknowledged and is lost`);
    if ((answer === 'queued' || answer === 'appended') && !everCrashed.has(by)) {
      const refused = clients[by]!.refused.length > 0;
      assert.ok(count === 1 || refused, `${seed}: ${text} was queued and is lost`);
    }
  }
  const isOf = (text: string, number: number): boolean => text.startsWith(`${number}:`);
  const counts = (text: string): boolean =>
    /^\d/.test(text) && !guests.some((guest) => isOf(text, guest));
  for (const { number } of holders) {
    const heard = new Map<StreamName, string[]>();
    for (const { stream, text } of clients[number]!.heard.filter((one) => counts(one.text)))
      heard.set(stream, [...(heard.get(stream) ?? []), text]);
    for (const [stream, list] of heard) {
      if (everCrashed.has(number)) continue;
      assert.equal(new Set(list).size, list.length, `${seed}: told twice`);
      // Of rooms one is told while one is in them.
      if (stream !== LOBBY && placeOfStream(stream).type === 'room') continue;
      const expected = (texts.get(stream) ?? []).filter(
        (text) => counts(text) && !isOf(text, number),
      );
      assert.deepEqual(
        list,
        expected.slice(expected.length - list.length),
        `${seed}: news of ${stream}`,
      );
    }
  }
}

function isPrivate(home: Home, stream: StreamName): boolean {
  const place = placeOfStream(stream);
  return place.type === 'room' && isEncryptedRoom(home.space, place.room);
}
