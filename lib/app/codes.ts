/** Codes and first passwords: secrets that people read to each other, type and print. */
import { randomInt } from 'node:crypto';
import { normalCode } from '../crdt/codes.ts';

/** Without look-alikes. */
const ALPHABET = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';
const GROUP = 4;
/** Characters of a code: 138 bits, that it can stand in the log by its verifier. */
const CODE_LENGTH = 28;
/** Characters of a first password, which is used once, and tried as any password: 79 bits. */
const PASSWORD_LENGTH = 16;
const FIRST_PASSWORD = new RegExp(
  `^(?:[${ALPHABET}]{${GROUP}}-){${PASSWORD_LENGTH / GROUP - 1}}[${ALPHABET}]{${GROUP}}$`,
);

function newSecretText(length: number): string {
  return grouped(Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''));
}

function grouped(text: string): string {
  return (text.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? []).join('-');
}

export function newCode(): string {
  return newSecretText(CODE_LENGTH);
}

/** A code as `newCode` writes it, however it was typed; what is none is left as it is. */
export function writtenCode(typed: string): string {
  const normal = normalCode(typed);
  return normal.length === CODE_LENGTH ? grouped(normal) : typed;
}

/** A password for somebody else, who has to change it. */
export function newFirstPassword(): string {
  return newSecretText(PASSWORD_LENGTH);
}

/** Whether a password was made by `newFirstPassword`, and not chosen by a person. */
export function isFirstPassword(password: string): boolean {
  return FIRST_PASSWORD.test(password);
}
