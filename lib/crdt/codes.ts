/**
 * Codes: secrets that invite, lift into a group or let into a room. The log knows a code by a key
 * that verifies signatures, and its redemption by a signature: nobody learns a code from the log,
 * and every replica can tell a redemption that is none.
 */
import type { Redemption } from './bodies.ts';
import { concat, fromHex, sha256, utf8 } from './bytes.ts';
import type { ErrorCode } from '../errors.ts';
import { SigningKey, verify, type AccountId, type PublicKey } from './keys.ts';
import type { CodeRecord } from './records.ts';
import type { Change, Reader } from './state.ts';

const CODE_TAG = 'clchat code v1';
/** Most codes that an account may have open at a time in a stream. */
export const MAX_OPEN_CODES = 100;

/** How a code may be written: dashes, spaces and case do not matter. */
export function normalCode(code: string): string {
  return code.toUpperCase().replace(/[^A-Z0-9]/g, '');
}

/** The key made of a code of 128 bits or more; its public half stands in the log. */
export function codeKey(code: string): SigningKey {
  return new SigningKey(
    Uint8Array.from(sha256(utf8('clchat code key v1\0'), utf8(normalCode(code)))),
  );
}

/**
 * Redeems a code.
 * @param by the device that does so
 * @param where the stream in which it counts
 */
export function redeem(code: string, server: PublicKey, by: PublicKey, where: string): Redemption {
  const key = codeKey(code);
  return { verifier: key.public, proof: key.sign(CODE_TAG, statement(server, by, where)) };
}

function statement(server: PublicKey, by: PublicKey, where: string): Uint8Array {
  return concat(fromHex(server), fromHex(by), utf8(where));
}

/** Whether a code is past its time. @param now the server's clock when it judged */
function isExpired({ expires }: Pick<CodeRecord, 'expires'>, now: number): boolean {
  return expires < now;
}

/** By what a redemption is judged. */
interface Redeeming {
  readonly entry: {
    readonly server: PublicKey;
    readonly device: PublicKey;
    readonly stream: string;
  };
  /** The server's clock when it judged. */
  readonly now: number;
}

/** The record of a code that is redeemed rightly, for a purpose; undefined for any other. */
export function redeemed(
  state: Pick<Reader, 'get'>,
  { verifier, proof }: Redemption,
  purpose: CodeRecord['purpose'],
  { entry, now }: Redeeming,
): CodeRecord | undefined {
  const record = state.get<CodeRecord>('code', verifier);
  if (record === undefined || record.purpose !== purpose || record.uses === 0) return undefined;
  if (isExpired(record, now)) return undefined;
  const text = statement(entry.server, entry.device, entry.stream);
  return verify(verifier, CODE_TAG, text, proof) ? record : undefined;
}

/**
 * Why a code cannot be put in place; the rights to it apart. Scans the codes of the stream.
 * @param now the server's clock when it judged
 */
export function checkNewCode(
  state: Reader,
  { verifier, expires }: { readonly verifier: PublicKey; readonly expires: number },
  issuer: AccountId,
  now: number,
): ErrorCode | undefined {
  if (state.get('code', verifier) !== undefined) return 'ALREADY';
  if (isExpired({ expires }, now)) return 'BAD_CODE';
  let open = 0;
  for (const [, code] of state.entries<CodeRecord>('code'))
    if (code.issuer === issuer && !isExpired(code, now)) open++;
  return open < MAX_OPEN_CODES ? undefined : 'RATE_LIMITED';
}

/** A code takes its place, and those that are past their time give up theirs. */
export function newCodeChanges(
  state: Pick<Reader, 'entries'>,
  verifier: PublicKey,
  value: CodeRecord,
  now: number,
): Change[] {
  return [
    ...without(state, (code) => isExpired(code, now)),
    { table: 'code', id: verifier, value },
  ];
}

/** The end of all codes that some have made. */
export function codesOf(state: Pick<Reader, 'entries'>, issuers: ReadonlySet<AccountId>): Change[] {
  return without(state, ({ issuer }) => issuers.has(issuer));
}

function without(state: Pick<Reader, 'entries'>, isOver: (code: CodeRecord) => boolean): Change[] {
  const changes: Change[] = [];
  for (const [id, code] of state.entries<CodeRecord>('code'))
    if (isOver(code)) changes.push({ table: 'code', id, value: undefined });
  return changes;
}

/** One use less. */
export function usedChange(state: Pick<Reader, 'get'>, verifier: PublicKey): Change[] {
  const record = state.get<CodeRecord>('code', verifier);
  if (record === undefined) return [];
  const uses = record.uses - 1;
  const value = uses > 0 ? { ...record, uses } : undefined;
  return [{ table: 'code', id: verifier, value }];
}
