/** The notices of everything that others wrote and that is in `dist/`, from what the bundler took in. */
import { readdir, readFile } from 'node:fs/promises';

const RULE = '-'.repeat(76);
/** The directory of the package that a file of the bundle is in. */
const PACKAGE = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;

/**
 * @param {readonly string[]} inputs files of the bundle, relative to the working directory
 * @returns {Promise<string>} of each package its name, its licence and the text of that
 */
export async function noticesOf(inputs) {
  const directories = new Set(inputs.flatMap((input) => PACKAGE.exec(input)?.[1] ?? []));
  const notices = new Map();
  for (const directory of directories) {
    const { name, version, license, author } = JSON.parse(
      await readFile(`${directory}/package.json`, 'utf8'),
    );
    const by = typeof author === 'string' ? author : author?.name;
    const heading = `${name} ${version} (${license})${by === undefined ? '' : `, by ${by}`}`;
    const files = (await readdir(directory)).filter((file) => /^(licen[cs]e|notice)/i.test(file));
    const texts = await Promise.all(
      files.sort().map((file) => readFile(`${directory}/${file}`, 'utf8').catch(() => '')),
    );
    notices.set(heading, texts.map((text) => text.trim()).join('\n\n'));
  }
  const unicode = await readFile(new URL('unicode-license.txt', import.meta.url), 'utf8');
  notices.set(
    'Unicode data 15.0.0, from which the tables of look-alike names are made',
    unicode.trim(),
  );
  return [...notices]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([heading, text]) => `${RULE}\n${heading}\n\n${text}\n`)
    .join('\n');
}
