/**
 * Makes lib/names-data.ts, by which lib/names.ts tells names that look alike, and
 * test/support/confusables.txt, the pairs that its test holds it to:
 *
 *   node bin/confusables.mjs CONFUSABLES UCD
 *
 * CONFUSABLES is the path of confusables.txt (UTS #39); UCD is the directory with the files of the
 * Unicode Character Database of the same version; unicode.org publishes both. It is run by hand and
 * is no part of the build: other data makes other keys, by which peers accept other names.
 *
 * The packages with such a table on npm do not serve: unicode-confusables 0.1.1 stays at Unicode 10
 * and makes no key, and confusables 1.1.1 replaces letters by English ones and drops accents.
 *
 * UTS #39 gives each character a prototype, but keeps capitals and small letters apart, whereas
 * names are compared regardless of case. A Greek nu looks like N as a capital and like v as a small
 * letter: were all of that one class, N and V would be one letter, and through other scripts
 * nearly all letters would. So classes are built pair by pair, what is seen most first, and a pair
 * is left out that would make one letter of two letters of one script which do not look alike.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { readUnicode } from './unicode.mjs';

const [confusables, database] = process.argv.slice(2);
if (confusables === undefined || database === undefined) {
  console.error('usage: node bin/confusables.mjs CONFUSABLES UCD');
  process.exit(2);
}
const { version, known, pairs } = await readUnicode(confusables, database);
const prototypes = new Map(pairs);
const assigned = [...known.keys()].sort((a, b) => a - b);

const text = (codes) => String.fromCodePoint(...codes);
const codesOf = (string) => [...string].map((character) => character.codePointAt(0));
const same = (a, b) => a.length === b.length && a.every((code, index) => code === b[index]);

/* The classes: a union-find over code points, in which a class may also stand for a sequence. */

const parents = new Map();
const members = new Map();
const sequences = new Map();
const rootOf = (code) => {
  let root = code;
  while (parents.has(root)) root = parents.get(root);
  return root;
};
const membersOf = (root) => members.get(root) ?? [root];
const isMark = (root) => membersOf(root).some((code) => known.get(code)?.isMark);

const unorderedLooks = (codes) =>
  codes.flatMap((code) => {
    const sequence = sequences.get(rootOf(code));
    return sequence === undefined ? [rootOf(code)] : unorderedLooks(sequence);
  });

/** How a sequence looks: roots of classes, the marks on one base sorted as lib/names.ts does it. */
function looks(codes) {
  const sorted = unorderedLooks(codes);
  for (let end = 1; end < sorted.length; end += 1)
    for (let at = end; at > 0 && isMark(sorted[at]) && isMark(sorted[at - 1]); at -= 1)
      if (sorted[at - 1] > sorted[at]) [sorted[at - 1], sorted[at]] = [sorted[at], sorted[at - 1]];
  return sorted;
}

/** Makes two sequences look the same if the classes so far and `mayJoin` let it. */
function unite(source, target, mayJoin = () => true) {
  const [a, b] = [looks(source), looks(target)];
  const [one, other] = a.length === 1 ? [a[0], b] : [b[0], a];
  if (same(a, b) || (a.length !== 1 && b.length !== 1) || other.includes(one)) return;
  if (!mayJoin(one, other)) return;
  if (other.length > 1) sequences.set(one, other);
  else {
    parents.set(one, other[0]);
    members.set(other[0], [...membersOf(one), ...membersOf(other[0])]);
  }
}

/* First what must look the same, so that neither case nor the form of writing makes a difference. */

const OWN = [
  // Small and capital I, L and the digit; no two of these are apart in all typefaces.
  ...[...'1i|!'].map((character) => [character, 'l']),
  ['0', 'o'],
  // Of the data; first, since much else looks like m.
  ['m', 'rn'],
  // Both look like a Latin letter whose capital another Cyrillic letter looks like.
  ['ь', 'b'],
  ['һ', 'h'],
];
/** Alike to Unicode, but Ido and Idan are two usual names that differ in nothing else. */
const APART = codesOf('ן');
/** Letters that are drawn as small capitals or in boxes; confusables.txt leaves them out. */
const DRAWN =
  /^(?:LATIN LETTER SMALL CAPITAL|NEGATIVE (?:CIRCLED|SQUARED) LATIN CAPITAL LETTER|REGIONAL INDICATOR SYMBOL LETTER) ([A-Z])$/;

const required = OWN.map((pair) => pair.map(codesOf));
for (const [code, { name, isSeen, canonical, compatible, cases }] of known) {
  if (!isSeen) sequences.set(code, []);
  if (canonical.length > 0) required.push([[code], canonical]);
  for (const target of cases) required.push([[code], target]);
  if (compatible.length === 1 && !prototypes.has(code) && known.get(compatible[0]).isSeen)
    required.push([[code], compatible]);
  const drawn = DRAWN.exec(name)?.[1];
  if (drawn !== undefined) required.push([[code], codesOf(drawn.toLowerCase())]);
}
// Some hold only when others do: a capital with an accent, after the capital without it.
const isOpen = ([source, target]) => !same(looks(source), looks(target));
for (let open = required, before = 0; open.length !== before; open = open.filter(isOpen)) {
  before = open.length;
  for (const [source, target] of open) unite(source, target);
}
const failed = required.filter(isOpen);
if (failed.length > 0)
  throw new Error(`not to be joined: ${failed.map(([source]) => text(source))}`);

/* Then the pairs, as long as the letters of each script stay apart that do not look alike. */

const decompose = (code) => {
  const canonical = known.get(code)?.canonical ?? [];
  return canonical.length === 0 ? [code] : canonical.flatMap(decompose);
};
/** The skeleton of UTS #39; marks are not put in order, as no character of the data needs it. */
const prototypeOf = (code) =>
  text(
    decompose(code)
      .filter((part) => known.get(part)?.isSeen)
      .flatMap((part) => prototypes.get(part) ?? [part])
      .flatMap(decompose),
  );

const hasCase = new Set();
for (const { category, script } of known.values()) if (category === 'Lu') hasCase.add(script);

/** A letter (or digit, mark, sign) in all its forms, by the root of its class so far. */
const letters = new Map();
const letterOf = new Map();
for (const code of known.keys()) {
  const root = rootOf(code);
  if (sequences.has(root)) continue;
  const letter = letters.get(root) ?? { prototypes: new Set(), scripts: new Set(), isCased: false };
  letters.set(root, letter);
  letterOf.set(code, letter);
  letter.prototypes.add(prototypeOf(code));
  if (known.get(code).category === 'Lu') letter.isCased = true;
}
for (const [code, letter] of letterOf) {
  const { category, script } = known.get(code);
  // ASCII digits and signs are at home in every script.
  if (code < 0x80 && !category.startsWith('L')) letter.scripts.add('any');
  else if (/^(?:M|Nd)/.test(category)) letter.scripts.add(script);
  // Letters of phonetic alphabets, which have no capitals, need not stay apart.
  else if (/^L[^m]/.test(category) && script !== 'Common')
    if (letter.isCased || !hasCase.has(script)) letter.scripts.add(script);
}

const lettersOf = (root) => new Set(membersOf(root).flatMap((code) => letterOf.get(code) ?? []));
const shareScript = (a, b) =>
  (a.scripts.has('any') && b.scripts.size > 0) ||
  (b.scripts.has('any') && a.scripts.size > 0) ||
  [...a.scripts].some((script) => b.scripts.has(script));
const lookAlike = (a, b) => [...a.prototypes].some((prototype) => b.prototypes.has(prototype));
const isMarkLike = (code) => /^(?:M|Lm|Sk)/.test(known.get(code).category);

/** Whether `one` may look like `other` for the sake of a character with this prototype. */
const mayJoinFor = (prototype) => (one, other) => {
  if (other.length > 1) {
    if (isMark(one) && !other.every(isMark)) return false;
    const others = other.flatMap((root) => [...lettersOf(root)]);
    return [...lettersOf(one)].every(
      (letter) =>
        letter.prototypes.has(prototype) || !others.some((another) => shareScript(letter, another)),
    );
  }
  const [root] = other;
  if (isMark(one) !== isMark(root) && ![...membersOf(one), ...membersOf(root)].every(isMarkLike))
    return false;
  return [...lettersOf(one)].every((a) =>
    [...lettersOf(root)].every((b) => !shareScript(a, b) || lookAlike(a, b)),
  );
};

/** Scripts whose capitals are Latin ones to the eye, and then those that are written today. */
const NEAR = /^(?:Common|Inherited|Latin|Greek|Cyrillic|Armenian)$/;
const CURRENT =
  /^(?:Arabic|Bengali|Bopomofo|Devanagari|Ethiopic|Georgian|Gujarati|Gurmukhi|Han|Hangul|Hebrew|Hiragana|Kannada|Katakana|Khmer|Lao|Malayalam|Myanmar|Oriya|Sinhala|Tamil|Telugu|Thaana|Thai|Tibetan)$/;

/** The lower, the earlier a pair is joined. */
function rankOf([source, target]) {
  const { category, script, cases } = known.get(source);
  if (!NEAR.test(script)) return CURRENT.test(script) ? 7 : 8;
  if (category.startsWith('M')) return 0;
  if (cases.length === 0) return 6;
  const isCapital = category === 'Lu';
  if (target.some((code) => code >= 0x80)) return isCapital ? 4 : 5;
  if (!isCapital) return 3;
  return known.get(target[0]).category === 'Lu' ? 1 : 2;
}

const byRank = pairs
  // The skeleton of UTS #39 is made of decomposed text, so that it never sees these.
  .filter(([source]) => known.get(source).canonical.length === 0 && !APART.includes(source))
  .map((pair) => ({ pair, rank: rankOf(pair) }))
  .sort((a, b) => a.rank - b.rank)
  .map(({ pair }) => pair);
for (const [source, target] of byRank) unite([source], target, mayJoinFor(prototypeOf(source)));
for (const [code, { compatible }] of known)
  if (compatible.length > 0 && !prototypes.has(code))
    unite([code], compatible, mayJoinFor(prototypeOf(code)));

/* What stands for each class in a key: nothing white, and nothing that names are set apart by. */

const SEPARATORS = '/#@:';
/** The lower, the rather it stands for its class. */
function preferenceOf(code) {
  if (isMark(rootOf(code))) return known.get(code).isMark ? 0 : 1;
  // The last small letter: l, as in UTS #39, before i.
  if (code >= 0x61 && code <= 0x7a) return -code;
  if (code < 0x80) return SEPARATORS.includes(text([code])) ? 4 : 0;
  // Letters of Hangul would join into syllables.
  if (code >= 0x1100 && code <= 0x11ff) return 3;
  const { category, compatible } = known.get(code);
  return /^(?:L[^u]|N)/.test(category) && compatible.length === 0 ? 1 : 2;
}
const standIns = new Map();
for (const code of assigned) {
  const root = rootOf(code);
  const standIn = standIns.get(root);
  if (standIn === undefined || preferenceOf(code) < preferenceOf(standIn)) standIns.set(root, code);
}
const keyOf = (code) => unorderedLooks([code]).map((root) => standIns.get(root));

/* What is written: numbers in base 36, runs of characters as lib/names.ts reads them. */

const digits = (number) => number.toString(36);
const gapOf = (gap) => (gap === 0 ? '' : digits(gap));

/** Each run: how many code points after the one before it, and how many it has. */
function writeRanges(codes) {
  const runs = [];
  for (const code of codes) {
    const last = runs.at(-1);
    if (last !== undefined && code === last.end) last.end += 1;
    else runs.push({ first: code, end: code + 1 });
  }
  return runs.map(({ first, end }, index) => {
    const count = end - first;
    return `${gapOf(first - (runs[index - 1]?.end ?? 0))}${count === 1 ? '' : `*${digits(count)}`}`;
  });
}

/** Each run: as above, then "=" and what each character is in a key, or "+" if that counts up. */
function writeKeys(entries) {
  const runs = [];
  for (const { code, key } of entries) {
    const last = runs.at(-1);
    if (last !== undefined && code === last.first + last.count) {
      const final = last.key.length - 1;
      const next = last.key.map((part, index) => (index === final ? part + last.count : part));
      const sign = same(key, last.key) ? '=' : same(key, next) ? '+' : undefined;
      if (sign !== undefined && (last.count === 1 || last.sign === sign)) {
        last.count += 1;
        last.sign = sign;
        continue;
      }
    }
    runs.push({ first: code, count: 1, key, sign: '=' });
  }
  let end = 0;
  return runs.map(({ first, count, key, sign }) => {
    const gap = gapOf(first - end);
    end = first + count;
    return `${gap}${count === 1 ? '' : `*${digits(count)}`}${sign}${key.map(digits).join('.')}`;
  });
}

/** Words in lines of a template literal. */
function wrap(words) {
  const lines = [''];
  for (const word of words)
    if (lines.at(-1).length + word.length < 118) lines.push(`${lines.pop()}${word} `);
    else lines.push(`${word} `);
  return lines.map((line) => line.trimEnd()).join('\n');
}

const keys = assigned.map((code) => ({ code, key: keyOf(code) }));
const marks = assigned.filter((code) => same(keyOf(code), [code]) && isMark(rootOf(code)));
// Private use and surrogates have no look of their own.
const stable = assigned.filter((code) => !/^(?:Co|Cs)/.test(known.get(code).category));

const notice = await readFile(new URL('unicode-license.txt', import.meta.url), 'utf8');
const comment = notice.trimEnd().replaceAll(/^/gm, ' * ').replaceAll(/ +$/gm, '');
await writeFile(
  new URL('../lib/names-data.ts', import.meta.url),
  `/*!
 * What characters look like, made by bin/confusables.mjs from confusables.txt and the Unicode
 * Character Database, version ${version}; not to be edited. Of those files:
 *
${comment}
 */

/** Characters that are not themselves in a key, and what they are there. */
export const KEYS = \`
${wrap(writeKeys(keys.filter(({ code, key }) => !same(key, [code]))))}
\`;

/** Those in a key that stand on the character before them, in no order among themselves. */
export const MARKS = \`
${wrap(writeRanges(marks))}
\`;

/** All that were assigned in that version, private use left out. */
export const ASSIGNED = \`
${wrap(writeRanges(stable))}
\`;
`,
);

/** With marks on one base in order, since keys have them so. */
const apart = pairs.filter(([source, target]) => !same(looks([source]), looks(target)));
const hex = (code) => code.toString(16).padStart(4, '0');
await writeFile(
  new URL('../test/support/confusables.txt', import.meta.url),
  `# The pairs of confusables.txt, Unicode ${version}, and after "!" those that keys keep apart.
# Made by bin/confusables.mjs; the licence is in lib/names-data.ts.
${pairs
  .map((pair) => `${apart.includes(pair) ? '! ' : ''}${hex(pair[0])} ${pair[1].map(hex).join(' ')}`)
  .join('\n')}
`,
);
console.log(`${keys.length} characters, ${pairs.length} pairs, ${apart.length} of them kept apart`);
