/**
 * Many clients in one process, each with its own keys, its own LevelDB and its own connection: the
 * product's client peers, without a front end.
 */
import { join } from 'node:path';
import type { ClientPeer } from '../../../lib/app/client-peer.ts';
import type { AccountId } from '../../../lib/crdt/keys.ts';
import { roomStream, type StreamName } from '../../../lib/crdt/stream.ts';
import { sleep } from '../../../lib/lifecycle.ts';
import type { Fault } from '../support/crowd.ts';
import { Heard, paced, textOfSize } from '../support/messages.ts';
import { now, sum } from '../support/stats.ts';
import { serve } from '../support/worker.ts';
import { openClient } from './client.ts';

/** Attempts to get in, as a person would make them. */
const ATTEMPTS = 3;

interface Member {
  readonly name: string;
  readonly directory: string;
  peer: ClientPeer | undefined;
}

const faults = new Map<string, number>();
const onFault = (error: unknown): void => {
  const text = error instanceof Error ? error.message : String(error);
  faults.set(text, (faults.get(text) ?? 0) + 1);
};

function takeFaults(): Fault[] {
  const taken = [...faults];
  faults.clear();
  return taken;
}

let members: Member[] = [];
let address = '';
const heard = new Heard();

/** Opens a member's replica, connects and logs in. @returns attempts that failed */
async function enter(member: Member): Promise<number> {
  const { name, directory } = member;
  const onText = (text: string): void => heard.take(text);
  const peer = await openClient({ directory, address, user: name, onText, onFault });
  member.peer = peer;
  const { client, keystore } = peer;
  for (let failures = 0; ; failures++) {
    try {
      const { account } = await client.connect();
      if (account === null) await client.register(name, undefined);
      else await client.loginDevice();
      return failures;
    } catch (error) {
      onFault(error);
      if (failures + 1 === ATTEMPTS) throw error;
      await keystore.update(({ account: _account, ...record }) => record);
    }
  }
}

function peerOf(member: Member): ClientPeer {
  if (member.peer === undefined) throw new Error(`${member.name} is not in`);
  return member.peer;
}

const methods = {
  async prepare(options: { names: string[]; directory: string; address: string }): Promise<void> {
    const { names, directory } = options;
    address = options.address;
    members = names.map((name) => ({ name, directory: join(directory, name), peer: undefined }));
  },

  /**
   * @param atOnce how many of the members here come in at the same moment
   * @returns how long each took since the beginning, in milliseconds
   */
  async join(atOnce: number): Promise<{ took: number[]; failures: number; faults: Fault[] }> {
    const begun = now();
    const took: number[] = [];
    const failures: number[] = [];
    const waiting = [...members];
    const enterNext = async (): Promise<void> => {
      for (let member = waiting.shift(); member !== undefined; member = waiting.shift()) {
        const failed = await enter(member).catch(() => ATTEMPTS);
        if (failed < ATTEMPTS) took.push(now() - begun);
        failures.push(failed);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, enterNext));
    return { took, failures: sum(failures), faults: takeFaults() };
  },

  async leave(): Promise<void> {
    await Promise.all(members.flatMap(({ peer }) => (peer === undefined ? [] : [peer.stop()])));
    for (const member of members) member.peer = undefined;
  },

  async accounts(): Promise<AccountId[]> {
    return members.map((member) => peerOf(member).client.home.account);
  },

  /** The first member makes a private room of all the accounts. */
  async createRoom(options: { name: string; accounts: AccountId[] }): Promise<StreamName> {
    const { home } = peerOf(members[0]!).client;
    const room = await home.conversations.act('space', 'room', {
      name: options.name,
      private: true,
    });
    await mustBeHeld(home.outbox.answer(room.id));
    const stream = roomStream(room.id.slice(0, 32));
    const added = await home.conversations.act(stream, 'members', {
      add: options.accounts,
      remove: [],
    });
    await mustBeHeld(home.outbox.answer(added.id));
    return stream;
  },

  /** Resolves once every member here has the room. */
  async awaitRoom(stream: StreamName): Promise<void> {
    for (const member of members)
      while (peerOf(member).client.home.replica.log.headOf(stream).length === 0) await sleep(20);
  },

  /**
   * The members here say texts of `size` bytes by turns, `rate` a second together.
   * @returns how long each took until the server held it, in milliseconds
   */
  async speak(options: {
    stream: StreamName;
    rate: number;
    seconds: number;
    size: number;
  }): Promise<{ said: number; held: number[]; faults: Fault[] }> {
    const { stream, rate, seconds, size } = options;
    const homes = members.map((member) => peerOf(member).client.home);
    const held: number[] = [];
    const under: Promise<unknown>[] = [];
    const said = await paced(rate, seconds, (number) => {
      const home = homes[number % homes.length]!;
      const begun = now();
      const say = async (): Promise<void> => {
        const entry = await home.conversations.say(stream, textOfSize(begun, size));
        const outcome = await home.outbox.answer(entry.id);
        if (outcome === 'held') held.push(now() - begun);
        else onFault(new Error(outcome));
      };
      under.push(say().catch(onFault));
    });
    await Promise.race([Promise.all(under), sleep(10_000)]);
    return { said, held, faults: takeFaults() };
  },

  async begin(): Promise<void> {
    heard.begin();
  },

  /** What has been heard since the last time this was asked. */
  async heard() {
    return heard.report();
  },
};

export type CrowdMethods = typeof methods;

async function mustBeHeld(answer: Promise<string>): Promise<void> {
  const outcome = await answer;
  if (outcome !== 'held') throw new Error(outcome);
}

serve(methods, () => methods.leave());
