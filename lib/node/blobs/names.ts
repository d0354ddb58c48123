/** Names of files: from those of others, which are never used as paths, to ones that are safe here. */
import { byteLength, clean } from '../../text.ts';

/** Longest name, in bytes: with a number behind it it fits into any file system. */
const MAX_NAME_BYTES = 200;
const MAX_EXTENSION_BYTES = 16;
/** What a file is called whose name says nothing that can be used. */
const NAMELESS = 'file';

/** Controls and formatting characters, halves of characters, line and paragraph separators. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** What separates or means something in a path on some system, and what looks as if it did. */
const SEPARATORS = /[:*?"<>|\u2044\u2215\u2216\u29f5\u29f8\ufe68\uff0f\uff1a\uff3c]/g;
/** Devices, by whatever extension, for Windows. */
const RESERVED = /^(?:con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$)\s*(?:\.|$)/i;

/**
 * A name that a file can have in any directory of any system without becoming something else there:
 * the last part of a path, without what is hidden, reserved or unseen, at most 200 bytes of UTF-8. A
 * safe name stays as it is.
 */
export function safeName(name: string): string {
  const parts = clean(name).split(/[/\\]/);
  const last = parts.findLast((part) => /[^.\s]/.test(part)) ?? '';
  const plain = last
    .replace(UNSEEN, '')
    .normalize('NFC')
    .replace(SEPARATORS, '_')
    .replace(/\s+/gu, ' ')
    // Neither hidden nor taken for an option or a home directory.
    .replace(/^[.\s]+/u, '')
    .replace(/^[-~]/, '_');
  const bounded = trimEnd(shorten(trimEnd(plain)));
  if (bounded === '') return NAMELESS;
  return RESERVED.test(bounded) ? `_${bounded}` : bounded;
}

/** Windows leaves out dots and spaces at the end. */
function trimEnd(name: string): string {
  return name.replace(/[.\s]+$/u, '');
}

function shorten(name: string): string {
  if (byteLength(name) <= MAX_NAME_BYTES) return name;
  const [stem, extension] = splitName(name);
  return cut(stem, MAX_NAME_BYTES - byteLength(extension)) + extension;
}

/** At most so many bytes, no character in part. */
function cut(text: string, bytes: number): string {
  return Buffer.from(text, 'utf8')
    .subarray(0, bytes)
    .toString('utf8')
    .replace(/\ufffd+$/, '');
}

/** The name and its extension with the dot, where it has a short one. */
function splitName(name: string): [stem: string, extension: string] {
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.slice(dot) : '';
  if (extension.length < 2 || byteLength(extension) > MAX_EXTENSION_BYTES) return [name, ''];
  return [name.slice(0, dot), extension];
}

/** What a file is called instead where its name is taken: `name (1).txt`. */
export function numberedName(name: string, number: number): string {
  if (number === 0) return name;
  const [stem, extension] = splitName(name);
  return `${stem} (${number})${extension}`;
}
