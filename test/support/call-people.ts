/** People whose programs run on the hosts of a lab: what they see and hear of each other in a call. */
import assert from 'node:assert/strict';
import { sleep } from '../../lib/lifecycle.ts';
import type { LabProcess } from '../lan/process.ts';
import { does } from '../wan/program.ts';
import type { Seen, SeenCall } from './seen-call.ts';

export interface Person {
  readonly user: string;
  /** Of its microphone, in hertz. */
  readonly tone: number;
  readonly process: LabProcess;
}

const LOOK_MS = 500;

/** The tones of those in a call: none is a multiple of another. */
export const toneOf = (number: number): number => 400 + 110 * number;

/** A camera and a microphone that need no devices, and which can be told from those of others. */
export function devicesWith(tone: number): readonly string[] {
  return ['--camera', 'test', '--mic', `tone:${tone}`, '--speaker', 'none'];
}

/** The call that somebody is in. */
export async function callOf(who: Person): Promise<Pick<SeenCall, 'state' | 'participants'>> {
  const { data } = (await does(who.process, 'stats')) as { data?: { call?: SeenCall } };
  return data?.call ?? { state: 'none', participants: [] };
}

/** Of one other in that call. */
export async function seenBy(who: Person, other: Person): Promise<Seen | undefined> {
  const { participants } = await callOf(who);
  return participants.find(({ user }) => user === other.user);
}

/** @throws with what all of them see where something does not come about in time */
export async function until(
  people: readonly Person[],
  what: string,
  seconds: number,
  isSo: () => Promise<boolean>,
): Promise<void> {
  const end = performance.now() + seconds * 1_000;
  while (!(await isSo())) {
    if (performance.now() > end) {
      const all = await Promise.all(people.map((one) => callOf(one)));
      assert.fail(`${what} did not come about: ${JSON.stringify(all)}`);
    }
    await sleep(LOOK_MS);
  }
}

/** Whether somebody sees and hears all others: pictures that go on, and the tone of each. */
export async function hasAll(who: Person, others: readonly Person[]): Promise<boolean> {
  const { participants } = await callOf(who);
  return others.every(({ user, tone }) => {
    const seen = participants.find((one) => one.user === user);
    const heard = seen?.audio?.toneHz;
    const isHeard = heard !== undefined && Math.abs(heard - tone) <= tone / 50;
    return isHeard && seen?.video?.frameNumber !== undefined && seen.video.fps > 0;
  });
}

/** Whether each of them sees and hears all others. */
export async function allHaveAll(people: readonly Person[]): Promise<boolean> {
  const looks = people.map((who) =>
    hasAll(
      who,
      people.filter((one) => one !== who),
    ),
  );
  return (await Promise.all(looks)).every(Boolean);
}
