/** What people say to one another in the simulation, and what they are to each other. */
import { accountStream, pairStream } from '../../lib/crdt/stream.ts';
import type { Client } from '../../lib/node/client/client.ts';
import type { Home } from '../../lib/node/client/home.ts';
import type { Attempts } from './attempts.ts';
import type { Spoken } from './checks.ts';
import { Doings } from './community.ts';
import type { Random } from './random.ts';
import { LOBBY } from './world.ts';

const CONTACT_KINDS = ['request', 'accept', 'reject', 'cancel', 'unfriend'];

export class Talk {
  readonly #random: Random;
  readonly #attempts: Attempts;
  readonly spoken: Spoken[] = [];

  constructor(random: Random, attempts: Attempts) {
    this.#random = random;
    this.#attempts = attempts;
  }

  /** @param by number of the client */
  speak(by: number, { home }: Client): void {
    const random = this.#random;
    const others = othersThan(home);
    const places = Doings.placesOf(home);
    const stream =
      others.length === 0 || random.chance(0.5)
        ? LOBBY
        : places.length > 0 && random.chance(0.4)
          ? random.pick(places)
          : pairStream(home.account, home.named(random.pick(others)));
    const text = `${by}:<${this.spoken.length}>`;
    const spoken: Spoken = { by, text, stream, answer: undefined };
    this.spoken.push(spoken);
    this.#attempts.start('saying something', async () => {
      const entry = await home.conversations.say(spoken.stream, spoken.text);
      // In the outbox: from here on it must not be lost, whatever happens to the connection.
      spoken.answer = 'appended';
      spoken.answer = await home.outbox.answer(entry.id);
    });
  }

  block({ home }: Client): void {
    const others = othersThan(home);
    if (others.length === 0) return;
    const account = home.named(this.#random.pick(others));
    const stream = accountStream(home.account);
    const blocked = home.replica.log.record(stream, 'block', account) !== true;
    this.#attempts.start('blocking', async () => {
      await home.conversations.act(stream, 'block', { account, blocked });
      home.outbox.flush();
    });
  }

  /** Does anything about a contact, whether it fits or not: it is judged in the end. */
  befriend({ home }: Client): void {
    const others = othersThan(home);
    if (others.length === 0) return;
    const stream = pairStream(home.account, home.named(this.#random.pick(others)));
    const kind = this.#random.pick(CONTACT_KINDS);
    this.#attempts.start('befriending', async () => {
      await home.conversations.act(stream, kind, {});
      home.outbox.flush();
    });
  }

  /** Each asks the other, unless the two are one. */
  makeFriends(one: Client, other: Client): void {
    if (one.home.account === other.home.account) return;
    const stream = pairStream(one.home.account, other.home.account);
    for (const { home } of [one, other])
      this.#attempts.start('asking a friend', async () => {
        await home.conversations.act(stream, 'request', {});
        home.outbox.flush();
      });
  }
}

function othersThan(home: Home): string[] {
  return home.names().filter((name) => name !== home.name);
}
