/** Reads what bin/confusables.mjs needs of the files of Unicode. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What is not seen though Unicode does not call it ignorable. */
const BLANK =
  /^(?:BRAILLE PATTERN BLANK|EGYPTIAN HIEROGLYPH (?:FULL|HALF) BLANK|KHITAN SMALL SCRIPT FILLER|MUSICAL SYMBOL NULL NOTEHEAD)$/;
/** In capitals it is a letter, so that it is not treated as a mark. */
const IOTA_BELOW = 0x345;

const fromHex = (field) =>
  field
    .split(/\s+/)
    .filter(Boolean)
    .map((code) => parseInt(code, 16));

/** The fields of each line, and the version that the comments before them tell. */
async function readTable(path) {
  const content = (await readFile(path, 'utf8')).replace('\ufeff', '');
  const rows = content
    .split('\n')
    .map((line) => line.split('#')[0].trim())
    .filter(Boolean)
    .map((line) => line.split(';').map((field) => field.trim()));
  return { rows, version: /^#.*?(\d+\.\d+\.\d+)/m.exec(content)?.[1] };
}

/** Every code point of a file of ranges, with the value that it has there. */
function* each({ rows }) {
  for (const [field, value] of rows) {
    const [first, last = first] = field.split('..').map((code) => parseInt(code, 16));
    for (let code = first; code <= last; code += 1) yield [code, value];
  }
}

/** Letters of Hangul as the syllables that they make up. */
const composeHangul = (codes) =>
  [
    ...String.fromCodePoint(...codes).replaceAll(
      /[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?/g,
      (syllable) => syllable.normalize('NFC'),
    ),
  ].map((character) => character.codePointAt(0));

/**
 * @param confusables path of confusables.txt
 * @param database directory of the Unicode Character Database
 * @returns the version; by code point what is known of each assigned character, its decompositions
 *   by one step; the pairs of confusables.txt, each a code point and a sequence
 * @throws Error when the files are of several versions
 */
export async function readUnicode(confusables, database) {
  const { rows, version } = await readTable(confusables);
  const [scripts, derived, folding, casing] = await Promise.all(
    ['Scripts', 'DerivedCoreProperties', 'CaseFolding', 'SpecialCasing'].map((name) =>
      readTable(join(database, `${name}.txt`)),
    ),
  );
  for (const table of [scripts, derived, folding, casing])
    if (version === undefined || table.version !== version)
      throw new Error(`files of versions ${version} and ${table.version}`);

  const known = await readCharacters(join(database, 'UnicodeData.txt'));
  for (const [code, script] of each(scripts)) if (known.has(code)) known.get(code).script = script;
  for (const [code, property] of each(derived))
    if (property === 'Default_Ignorable_Code_Point' && known.has(code))
      known.get(code).isSeen = false;
  for (const [source, lower, , upper, condition] of casing.rows)
    if (!condition) known.get(parseInt(source, 16)).cases = [lower, upper].map(fromHex);
  // Turkic foldings are for Turkic text alone.
  for (const [source, status, target] of folding.rows)
    if (status !== 'T') known.get(parseInt(source, 16)).cases.push(fromHex(target));
  const pairs = rows.map(([source, target]) => [parseInt(source, 16), fromHex(target)]);
  return { version, known, pairs };
}

async function readCharacters(path) {
  const { rows } = await readTable(path);
  const known = new Map();
  let first = 0;
  for (const [code, name, category, ccc, , decomposition, , , , , , , upper, lower] of rows) {
    const last = parseInt(code, 16);
    // A range is two lines, its first and its last character.
    if (!name.endsWith('Last>')) first = last;
    if (name.endsWith('First>')) continue;
    const isCompatible = decomposition.startsWith('<');
    const parts = composeHangul(fromHex(decomposition.replace(/^<\w+>/, '')));
    for (let one = first; one <= last; one += 1)
      known.set(one, {
        name,
        category,
        script: 'Unknown',
        isSeen: !/^(?:Z|Cc)/.test(category) && !BLANK.test(name),
        isMark: ccc !== '0' && one !== IOTA_BELOW,
        canonical: isCompatible ? [] : parts,
        compatible: isCompatible ? parts : [],
        cases: [upper, lower].map(fromHex).filter(({ length }) => length > 0),
      });
  }
  return known;
}
