/** What handlers of commands have in common. */
import type { AccountId } from '../crdt/keys.ts';
import type { StreamName } from '../crdt/stream.ts';
import { ClchatError } from '../errors.ts';
import type { Client } from '../node/client/client.ts';
import type { Home } from '../node/client/home.ts';
import type { Ask, CommandCall, ResultData } from './types.ts';

export interface HandlerContext {
  readonly client: Client;
  readonly now: () => number;
  readonly ask: Ask | undefined;
}

export type Handler = (args: CommandCall['args'], context: HandlerContext) => Promise<ResultData>;

export function need(value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw new ClchatError('USAGE', `${name} is missing.`);
  return value;
}

export function whole(value: string, name: string): number {
  const number = Number(value);
  if (!/^\d{1,12}$/.test(value) || !Number.isSafeInteger(number))
    throw new ClchatError('USAGE', `${name} must be a whole number.`);
  return number;
}

export function otherAccount(home: Home, name: string): AccountId {
  const account = home.named(name);
  if (account === home.account) throw new ClchatError('SELF');
  return account;
}

/** An entry that the server must judge before the command can be answered. */
export async function control(
  client: Client,
  stream: StreamName,
  kind: string,
  body: unknown,
): Promise<void> {
  const { home } = client;
  const entry = await home.conversations.act(stream, kind, body);
  const outcome = await home.outbox.answer(entry.id);
  if (outcome === 'held' || outcome === 'queued') return;
  throw new ClchatError(outcome);
}
