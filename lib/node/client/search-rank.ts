/**
 * Which messages hold all the words, the most relevant first: by BM25, the sum over the words of how
 * rare a word is and how much of the message it makes up; among equals the newer ones first.
 */
import { LEVELS, levelIn, messageOf, PIECE_POSTINGS, type PageReader } from './search-pages.ts';
import type { Stretches } from './search-pace.ts';
import type { Segment } from './search-segment.ts';

/** The parameters of BM25: how soon more occurrences count no more, and how much length counts. */
const SATURATION = 1.2;
const LENGTH_WEIGHT = 0.5;
/** Words of a message of usual length. */
const USUAL_LENGTH = 12;

/** How much a word tells that occurs so often in a message of so many words: 0 to `LEVELS` - 1. */
export function levelOf(occurrences: number, words: number): number {
  const length = 1 - LENGTH_WEIGHT + (LENGTH_WEIGHT * words) / USUAL_LENGTH;
  const weight = occurrences / (occurrences + SATURATION * length);
  return Math.min(LEVELS - 1, Math.floor(weight * LEVELS));
}

function rarity(frequency: number, messages: number): number {
  return Math.log(1 + (messages - frequency + 0.5) / (frequency + 0.5));
}

export interface Hit {
  readonly segment: Segment;
  /** How many segments were made before this one. */
  readonly order: number;
  /** Its number in the segment. */
  readonly message: number;
  readonly score: number;
  /** When it was written, in seconds since 1970. */
  readonly time: number;
}

/**
 * @param hashes of the words, no two the same
 * @param limit how many at most
 * @param isGood whether a message that holds the words counts
 */
export async function rank(
  segments: readonly Segment[],
  hashes: readonly number[],
  limit: number,
  isGood: (segment: Segment) => (message: number) => boolean,
  stretches: Stretches,
): Promise<Hit[]> {
  const all = segments.reduce((sum, { messages }) => sum + messages, 0);
  const totals = hashes.map(() => 0);
  const holding: { segment: Segment; order: number; words: number[] }[] = [];
  // The newest first, as they are the best among equals.
  for (const [order, segment] of [...segments.entries()].reverse()) {
    const frequencies: number[] = [];
    for (const hash of hashes) {
      if (stretches.isDue) await stretches.rest();
      frequencies.push(segment.frequency(hash));
    }
    frequencies.forEach((frequency, word) => (totals[word]! += frequency));
    if (frequencies.includes(0)) continue;
    const words = hashes.map((_, word) => word);
    words.sort((a, b) => frequencies[a]! - frequencies[b]!);
    holding.push({ segment, order, words });
  }
  const weights = totals.map((total) => rarity(total, all) / LEVELS);
  const best = new Best(limit);
  for (const { segment, order, words } of holding) {
    const cursors = hashes.map((hash) => new Cursor(segment, hash));
    const rarestFirst = words.map((word) => cursors[word]!);
    const score = (): number =>
      cursors.reduce((sum, { level }, word) => sum + weights[word]! * (level + 0.5), 0);
    await intersect(
      { segment, order, rarestFirst, score, best, isGood: isGood(segment) },
      stretches,
    );
  }
  return best.sorted();
}

async function intersect(
  work: {
    segment: Segment;
    order: number;
    /** Of all the words. */
    rarestFirst: readonly Cursor[];
    /** Of the message at which all cursors are. */
    score: () => number;
    best: Best;
    isGood: (message: number) => boolean;
  },
  stretches: Stretches,
): Promise<void> {
  const { segment, order, rarestFirst, best, isGood } = work;
  const timeOf = segment.times();
  let steps = 0;
  for (let at = 0; at !== Infinity;) {
    if (++steps % PIECE_POSTINGS === 0 && stretches.isDue) await stretches.rest();
    const message = rarestFirst[0]!.seek(at);
    at = message;
    for (let index = 1; at === message && index < rarestFirst.length; index++)
      at = rarestFirst[index]!.seek(message);
    if (at !== message || at === Infinity) continue;
    at++;
    const score = work.score();
    if (!best.mayTake(score)) continue;
    const hit = { segment, order, message, score, time: timeOf(message) };
    if (best.takes(hit) && isGood(message)) best.add(hit);
  }
}

/** Goes through the messages of a segment that hold a word, in order. */
class Cursor {
  readonly #segment: Segment;
  readonly #hash: number;
  readonly #postings = new Uint32Array(PIECE_POSTINGS);
  #count = 0;
  #at = 0;
  /** The piece after the one at hand, not read yet. */
  #next: PageReader | undefined;
  #page: number;
  readonly #pagesEnd: number;

  constructor(segment: Segment, hash: number) {
    this.#segment = segment;
    this.#hash = hash;
    [this.#page, this.#pagesEnd] = segment.pagesOf(hash);
    this.#findNext();
  }

  /** Of the message that was sought. */
  get level(): number {
    return levelIn(this.#postings[this.#at]!);
  }

  /** The first message from `target` on that holds the word; `Infinity` where there is none. */
  seek(target: number): number {
    if (this.#count === 0 || messageOf(this.#postings[this.#count - 1]!) < target) {
      if (!this.#readPiece(target)) return Infinity;
    }
    // Doubling steps: mostly it is near.
    let low = this.#at;
    let step = 1;
    while (low + step < this.#count && messageOf(this.#postings[low + step]!) < target) {
      low += step;
      step *= 2;
    }
    let high = Math.min(low + step, this.#count - 1);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (messageOf(this.#postings[middle]!) < target) low = middle + 1;
      else high = middle;
    }
    this.#at = low;
    return messageOf(this.#postings[low]!);
  }

  /** Reads the piece that holds the first message from `target` on. */
  #readPiece(target: number): boolean {
    do {
      const piece = this.#next;
      if (piece === undefined) return false;
      this.#count = piece.into(this.#postings);
      this.#findNext();
    } while (messageOf(this.#postings[this.#count - 1]!) < target);
    this.#at = 0;
    return true;
  }

  #findNext(): void {
    for (;;) {
      const page = (this.#next ??= this.#openPage());
      if (page === undefined) return;
      while (page.next() && page.hash < this.#hash);
      if (page.hash === this.#hash && page.start < page.bytes.length) return;
      this.#next = undefined;
    }
  }

  #openPage(): PageReader | undefined {
    return this.#page < this.#pagesEnd ? this.#segment.page(this.#page++) : undefined;
  }
}

/** The best of many: a heap with the least of them on top. */
class Best {
  readonly #limit: number;
  readonly #hits: Hit[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether a hit of this score may be one of the best. */
  mayTake(score: number): boolean {
    return this.#hits.length < this.#limit || score >= this.#hits[0]!.score;
  }

  takes(hit: Hit): boolean {
    return this.#hits.length < this.#limit || compare(hit, this.#hits[0]!) > 0;
  }

  add(hit: Hit): void {
    const hits = this.#hits;
    if (hits.length < this.#limit) {
      let at = hits.push(hit) - 1;
      while (at > 0) {
        const parent = (at - 1) >>> 1;
        if (compare(hits[parent]!, hit) <= 0) break;
        hits[at] = hits[parent]!;
        at = parent;
      }
      hits[at] = hit;
      return;
    }
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= hits.length) break;
      if (child + 1 < hits.length && compare(hits[child + 1]!, hits[child]!) < 0) child++;
      if (compare(hit, hits[child]!) <= 0) break;
      hits[at] = hits[child]!;
      at = child;
    }
    hits[at] = hit;
  }

  /** The best first. */
  sorted(): Hit[] {
    return this.#hits.toSorted((a, b) => compare(b, a));
  }
}

/** Of those written in the same second the one indexed later is the newer. */
function compare(a: Hit, b: Hit): number {
  return a.score - b.score || a.time - b.time || a.order - b.order || a.message - b.message;
}
