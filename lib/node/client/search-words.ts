/** How texts and queries fall into words, so that whoever writes `cafe` finds `Café`. */

/** Different words of one message that can be found. */
export const WORDS_LIMIT = 512;
/** Code units of a word that are compared. */
const WORD_LENGTH = 64;

const IS_ASCII = /^[\u0000-\u007f]*$/;
/** Accents, points and lengthenings that people leave out, and hyphens that are not seen. */
const OPTIONAL = /[\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0640\u064b-\u065f\u0670\u2060]+/g;
const WORD = /[\p{L}\p{N}\p{M}]+/gu;
/** Scripts that put no spaces between words: there a dictionary tells where one ends. */
const UNSPACED =
  /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]/u;
const QUOTED = /["“„]([^"“”]*)["“”]/g;

const segmenter = new Intl.Segmenter('en', { granularity: 'word' });

/** What somebody looks for. */
export interface Query {
  /** Each of them must occur. */
  readonly words: readonly string[];
  /** What stood in quotes: words that must follow each other. */
  readonly phrases: readonly (readonly string[])[];
}

/** The words of a text in order, as they are compared: case, width and accents folded. */
export function tokensOf(text: string): string[] {
  const isPlain = IS_ASCII.test(text);
  const tokens: string[] = [];
  for (const word of (isPlain ? text.toLowerCase() : folded(text)).match(WORD) ?? [])
    if (isPlain || !UNSPACED.test(word)) tokens.push(word.slice(0, WORD_LENGTH));
    else
      for (const { segment, isWordLike } of segmenter.segment(word))
        if (isWordLike === true) tokens.push(segment.slice(0, WORD_LENGTH));
  return tokens;
}

function folded(text: string): string {
  const bare = text.normalize('NFKD').replace(OPTIONAL, '');
  // By way of the capitals, so that "ß" is "ss" and a final sigma is a sigma.
  return bare.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFC');
}

/** How often each word occurs; of a text of very many different ones the first `WORDS_LIMIT`. */
export function countsOf(tokens: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const token of tokens) {
    const known = counts.get(token);
    if (known === undefined && counts.size >= WORDS_LIMIT) break;
    counts.set(token, (known ?? 0) + 1);
  }
  return counts;
}

/** The different words of a text. */
export function wordsOf(text: string): string[] {
  return [...countsOf(tokensOf(text)).keys()];
}

export function queryOf(text: string): Query {
  const phrases = [...text.matchAll(QUOTED)].map(([, quoted = '']) => tokensOf(quoted));
  return { words: wordsOf(text), phrases: phrases.filter(({ length }) => length > 1) };
}

/** Whether a text is what the query looks for. */
export function isFound(text: string, { words, phrases }: Query): boolean {
  const tokens = tokensOf(text);
  const counts = countsOf(tokens);
  return (
    words.every((word) => counts.has(word)) && phrases.every((phrase) => follows(tokens, phrase))
  );
}

function follows(tokens: readonly string[], phrase: readonly string[]): boolean {
  return tokens.some((_, at) => phrase.every((word, index) => tokens[at + index] === word));
}
