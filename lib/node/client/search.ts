/**
 * Search over everything that this device can read. An index of words, kept in the replica and
 * sealed in that its keys are keyed hashes: who finds the store does not find the words.
 *
 *   x!<hash of word>!<stream>!<position>   the word is in that message
 *   y!<stream>   intervals of positions that are in the index
 */
import { createHmac } from 'node:crypto';
import * as v from 'valibot';
import { encode } from '../../crdt/codec.ts';
import { isMessage } from '../../crdt/entry.ts';
import { addInterval, stored } from '../../crdt/log-store.ts';
import { count } from '../../crdt/records.ts';
import type { Replica } from '../../crdt/replica.ts';
import type { Secrets } from '../../crdt/secrets.ts';
import { ordinal, prefixed, type StoreOperation } from '../../crdt/store.ts';
import { placeOfStream, type StreamName } from '../../crdt/stream.ts';
import { ClchatError } from '../../errors.ts';
import type { Conversations, ReadMessage } from './conversations.ts';

/** Words of one message that go into the index. */
const WORDS_LIMIT = 512;
const RESULTS_LIMIT = 50;
/** Messages indexed between two breaths. */
const PORTION = 256;

const intervals = v.array(v.tuple([count, count]));
const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });

/** The words of a text as they are compared: letters and digits, case and width folded. */
export function wordsOf(text: string): string[] {
  const words = new Set<string>();
  for (const { segment, isWordLike } of segmenter.segment(text.normalize('NFKC').toLowerCase())) {
    if (isWordLike !== true) continue;
    words.add(segment.slice(0, 64));
    if (words.size >= WORDS_LIMIT) break;
  }
  return [...words];
}

export interface SearchOptions {
  readonly replica: Replica;
  readonly secrets: Secrets;
  readonly conversations: Conversations;
  /** 32 bytes, secret. */
  readonly key: Uint8Array;
}

export class SearchIndex {
  readonly #options: SearchOptions;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(options: SearchOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stopped = true;
  }

  #hash(word: string): string {
    return createHmac('sha256', this.#options.key).update(word).digest('hex').slice(0, 20);
  }

  /** Brings the index up to date with the replica. */
  update(): Promise<void> {
    this.#running ??= this.#update().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #update(): Promise<void> {
    const { log } = this.#options.replica;
    for (const stream of await log.names()) {
      const { type } = placeOfStream(stream);
      if (type !== 'room' && type !== 'pair') continue;
      for (const [from, until] of log.headOf(stream).have)
        for (let at = from; at < until && !this.#stopped; at += PORTION)
          await this.#index(stream, at, Math.min(until, at + PORTION));
    }
  }

  #indexed(stream: StreamName): [number, number][] {
    const bytes = this.#options.replica.log.store.get(`y!${stream}`);
    return bytes === undefined ? [] : stored(intervals, bytes);
  }

  async #index(stream: StreamName, from: number, until: number): Promise<void> {
    const { replica, secrets } = this.#options;
    const done = this.#indexed(stream);
    if (done.some(([a, b]) => a <= from && b >= until)) return;
    const { state } = await replica.log.open(stream);
    const operations: StoreOperation[] = [];
    for await (const { position, item } of replica.log.items(stream, from, until)) {
      if (item.type !== 'entry' || !isMessage(item.entry) || replica.isVoid(stream, position))
        continue;
      const text = secrets.read(item.entry, state)?.text;
      if (text === undefined) continue;
      for (const word of wordsOf(text)) {
        const key = `x!${this.#hash(word)}!${stream}!${ordinal(position)}`;
        operations.push({ type: 'put', key, value: new Uint8Array() });
      }
    }
    const value = encode(addInterval(done, from, until));
    operations.push({ type: 'put', key: `y!${stream}`, value });
    await replica.log.store.write(operations, { sync: false });
  }

  /** What is stored with the taking back of a stream: what comes in its place is not in the index. */
  rewindOperations(stream: StreamName, until: number): StoreOperation[] {
    const kept = this.#indexed(stream)
      .filter(([from]) => from < until)
      .map(([from, end]) => [from, Math.min(end, until)]);
    return [{ type: 'put', key: `y!${stream}`, value: encode(kept) }];
  }

  /**
   * Messages that hold all the words, newest first.
   * @throws USAGE when there is no word to look for
   */
  async search(query: string): Promise<ReadMessage[]> {
    const words = wordsOf(query);
    if (words.length === 0) throw new ClchatError('USAGE', 'Give a word to look for.');
    await this.update();
    const { replica, conversations } = this.#options;
    const postings = await Promise.all(words.map((word) => this.#postings(word)));
    postings.sort((a, b) => a.size - b.size);
    const [fewest, ...others] = postings;
    const found: ReadMessage[] = [];
    for (const place of fewest ?? []) {
      if (!others.every((set) => set.has(place))) continue;
      const mark = place.lastIndexOf('!');
      const item = replica.log.item(
        place.slice(0, mark) as StreamName,
        Number(place.slice(mark + 1)),
      );
      if (item?.type !== 'entry') continue;
      const message = await conversations.read(item.entry, 'held');
      // Another message may have come to stand where the index was made.
      const has = new Set(wordsOf(message.text));
      if (words.every((word) => has.has(word))) found.push(message);
    }
    return found.sort((a, b) => b.time - a.time).slice(0, RESULTS_LIMIT);
  }

  async #postings(word: string): Promise<Set<string>> {
    const prefix = `x!${this.#hash(word)}!`;
    const places = new Set<string>();
    for await (const [key] of this.#options.replica.log.store.entries(prefixed(prefix)))
      places.add(key.slice(prefix.length));
    return places;
  }
}
