/** How a call goes, for each of those in it: what `stats` tells. */
import { isSuppressed } from '../../crdt/suppress.ts';
import { pathOf } from '../../crdt/rooms.ts';
import type { PictureStats, SoundStats } from '../../media/engine/messages.ts';
import type { Home } from '../../node/client/home.ts';
import { shortDevice } from '../short-device.ts';
import type { ResultData } from '../types.ts';
import type { AppCalls } from './app-calls.ts';

const tenth = (value: number): number => Math.round(value * 10) / 10;
const hundredth = (value: number): number => Math.round(value * 100) / 100;

function picture(stats: PictureStats | undefined): ResultData | undefined {
  return stats && { ...stats, fps: tenth(stats.fps) };
}

function sound(stats: SoundStats | undefined): ResultData | undefined {
  if (stats === undefined) return undefined;
  const { level, toneHz, packets, packetsLost, jitterMs } = stats;
  return {
    level: hundredth(level),
    ...(toneHz === undefined ? {} : { toneHz: Math.round(toneHz) }),
    packets,
    packetsLost,
    jitterMs: tenth(jitterMs),
  };
}

/** @returns undefined where this device is in no call */
export async function callStats(calls: AppCalls, home: Home): Promise<ResultData | undefined> {
  const { live } = calls;
  if (live === undefined) return undefined;
  const stats = await calls.devices.media?.call('stats', {}).catch(() => undefined);
  const { id, room } = live.view;
  const path = room === undefined ? undefined : pathOf(home.space, room);
  return {
    id,
    ...(path === undefined ? {} : { room: path }),
    state: live.state.phase,
    participants: live.others.map(({ device, user, account, participant, remote, isTalking }) => {
      const of = stats?.peers[device];
      const { isMuted, isHidden, volume } = calls.choicesOf(account);
      const video = picture(of?.camera);
      const screen = picture(of?.screen);
      const audio = sound(of?.sound);
      return {
        user,
        device: shortDevice(device),
        path: remote.state === 'connected' ? (of?.path ?? 'direct') : remote.state,
        ...(video === undefined ? {} : { video }),
        ...(screen === undefined ? {} : { screen }),
        ...(audio === undefined ? {} : { audio }),
        talking: isTalking,
        muted: isMuted,
        hidden: isHidden,
        volume,
        suppressed: isSuppressed(home.space, account, room),
        live: participant.live !== undefined,
        ...(of?.roundTripMs === undefined ? {} : { rttMs: tenth(of.roundTripMs) }),
        sentBits: of?.sentBits ?? 0,
        receivedBits: of?.receivedBits ?? 0,
        ...(of?.sending === undefined ? {} : { sending: of.sending }),
      };
    }),
    ...(stats?.microphone === undefined
      ? {}
      : {
          microphone: {
            level: hundredth(stats.microphone.level),
            ...(stats.microphone.toneHz === undefined
              ? {}
              : { toneHz: Math.round(stats.microphone.toneHz) }),
          },
        }),
  };
}
