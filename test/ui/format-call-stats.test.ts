import assert from 'node:assert/strict';
import { callStatsLines } from '../../lib/ui/format-call-stats.ts';
import { BARE, type Style } from '../../lib/ui/style.ts';

const drawn: Style = { ...BARE, plain: false };

/** Somebody of whom nothing is measured. */
const bare = (user: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  ...{ user, device: '3fa91c02', path: 'connecting', talking: false, muted: false, hidden: false },
  ...{ volume: 100, suppressed: false, live: false, sentBits: 0, receivedBits: 0 },
  ...more,
});
const camera = { width: 160, height: 96, fps: 15, framesDecoded: 9 };
const bob = bare('bob', {
  path: 'relayed',
  rttMs: 12.3,
  video: { ...camera, frameNumber: 7, latencyMs: 33.3 },
  screen: { width: 1_280, height: 720, fps: 9.8, framesDecoded: 2 },
  audio: { level: 0.55, packets: 49, packetsLost: 1, jitterMs: 1.3 },
  talking: true,
  live: true,
  sentBits: 301_400,
  receivedBits: 1_249_000,
  sending: { width: 320, height: 240, fps: 15 },
});

describe('the text of how a call goes', () => {
  it('tells of each of the others what is measured, and how loud one is oneself', () => {
    const call = {
      id: 'c',
      room: 'kitchen',
      state: 'active',
      participants: [bob, bare('carol')],
      microphone: { level: 0.5, toneHz: 440 },
    };
    assert.deepEqual(callStatsLines(call, drawn), [
      'Call: #kitchen, active',
      '  bob: relayed, answers in 12.3 ms, gets 301 kbit/s, sends 1.2 Mbit/s, talks, shares a screen',
      '    camera 160x96, 15 fps, latency 33.3 ms',
      '    screen 1280x720, 9.8 fps',
      '    sound ▮▮▮▯▯, jitter 1.3 ms, 1 of 50 packets lost (2.0 %)',
      '    gets your camera at 320x240, 15 fps',
      '  carol: connecting, gets 0 kbit/s, sends 0 kbit/s',
      '  You: sound ▮▮▮▯▯, a tone of 440 Hz',
    ]);
  });

  it('is nothing where there is no call, and short where nobody else is there', () => {
    assert.deepEqual(callStatsLines(undefined, drawn), []);
    assert.deepEqual(callStatsLines({ id: 'c', state: 'ringing', participants: [] }, drawn), [
      'Call: ringing, nobody else is there',
    ]);
  });

  it('shows how loud somebody is, in signs that every terminal has where that is wanted', () => {
    const shown = (level: number, style: Style): string => {
      const call = { state: 'active', participants: [], microphone: { level } };
      return callStatsLines(call, style).at(-1)!.replace('  You: sound ', '');
    };
    const levels = [-1, 0, 0.01, 0.2, 0.21, 0.8, 0.81, 1, 7, NaN];
    assert.deepEqual(
      levels.map((level) => shown(level, BARE)),
      ['-----', '-----', '#----', '#----', '##---', '####-', '#####', '#####', '#####', '-----'],
    );
    assert.equal(shown(0.6, drawn), '▮▮▮▯▯');
  });

  it('says what is lost only of what has come', () => {
    const audio = { level: 0, packets: 0, packetsLost: 0, jitterMs: 0 };
    const of = (more: object): string =>
      callStatsLines(
        { state: 'active', participants: [bare('bob', { audio: { ...audio, ...more } })] },
        BARE,
      ).at(-1)!;
    assert.equal(of({}), '    sound -----, jitter 0 ms, 0 of 0 packets lost');
    assert.equal(
      of({ packetsLost: 1 }),
      '    sound -----, jitter 0 ms, 1 of 1 packet lost (100.0 %)',
    );
  });

  it('says what one has chosen about somebody, and what was done to them', () => {
    const other = bare('bob', { muted: true, hidden: true, suppressed: true, volume: 80 });
    assert.match(
      callStatsLines({ state: 'active', participants: [other] }, BARE)[1]!,
      /, muted by you, hidden by you, silenced for everyone, volume 80 %$/,
    );
  });

  it('tells the devices of one person apart', () => {
    const participants = [bare('bob'), bare('bob', { device: '7c' }), bare('carol')];
    assert.deepEqual(
      callStatsLines({ state: 'active', participants }, BARE)
        .slice(1)
        .map((line) => line.split(':')[0]),
      ['  bob (3fa91c02)', '  bob (7c)', '  carol'],
    );
  });

  it('carries nothing from others that the terminal would obey', () => {
    const user = '\u001b[31mred\u202e\u009b2J';
    const call = { room: user, state: 'active', participants: [bare(user, { path: user })] };
    const text = callStatsLines(call, drawn).join('\n');
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    assert.match(text, /#red, active\n {2}red: red, /);
  });
});
