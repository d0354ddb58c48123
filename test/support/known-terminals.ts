/** What terminals answered when they were asked what they can do. */
import type { Capabilities, Environment } from '../../lib/media/terminal/capabilities.ts';

const E = '\u001b';
const ST = `${E}\\`;
const UTF8 = { LANG: 'C.UTF-8' };

export interface KnownTerminal {
  readonly name: string;
  readonly environment: Environment;
  /** What came from it when it was asked. */
  readonly answers: readonly string[];
  readonly expected: Capabilities;
}

/**
 * Seen, but for tmux with sixels, WezTerm, Windows Terminal, Terminal.app and the console, which
 * answer so by what is written of them. Of 80 columns and 24 rows.
 */
export const TERMINALS: readonly KnownTerminal[] = [
  {
    name: 'kitty 0.26',
    environment: { ...UTF8, TERM: 'xterm-kitty', COLORTERM: 'truecolor', KITTY_WINDOW_ID: '1' },
    answers: [
      `${E}_Gi=20615;OK${ST}`,
      `${E}P>|kitty(0.26.5)${ST}`,
      `${E}P1$r48:2:1:2:3m${ST}`,
      `${E}]11;rgb:0000/0000/0000${ST}`,
      `${E}[6;18;9t`,
      `${E}[?62;c`,
    ],
    expected: {
      modes: ['kitty', 'truecolor', '256', 'ascii'],
      cell: { width: 9, height: 18 },
      isLight: false,
    },
  },
  {
    name: 'xterm 379',
    environment: { ...UTF8, TERM: 'xterm' },
    answers: [
      `${E}P>|XTerm(379)${ST}`,
      `${E}P1$r0;48:2::1:2:3m${ST}`,
      `${E}]11;rgb:ffff/ffff/ffff${ST}`,
      `${E}[?1;3S`,
      `${E}[?64;1;2;6;9;15;16;17;18;21;22;28c`,
    ],
    expected: { modes: ['truecolor', '256', 'ascii'], isLight: true },
  },
  {
    name: 'xterm 379 as a VT340, which says how many pixels all of its cells have',
    environment: { ...UTF8, TERM: 'xterm' },
    answers: [
      `${E}P>|XTerm(379)${ST}`,
      `${E}P1$r0;48:2::1:2:3m${ST}`,
      `${E}]11;rgb:ffff/ffff/ffff${ST}`,
      `${E}[?1;0;1024S`,
      `${E}[?2;0;560;336S`,
      `${E}[?2;0;1000;1000S`,
      `${E}[?63;1;2;4;6;9;15;16;22;28c`,
    ],
    expected: {
      modes: ['sixel', 'truecolor', '256', 'ascii'],
      cell: { width: 7, height: 14 },
      isLight: true,
    },
  },
  {
    name: 'xterm 379 as a VT340 of more pixels than sixels may cover',
    environment: { ...UTF8, TERM: 'xterm' },
    answers: [
      `${E}P1$r0;48:2::1:2:3m${ST}`,
      `${E}[?1;0;1024S`,
      `${E}[?2;0;1000;840S`,
      `${E}[?2;0;1000;1000S`,
      `${E}[?63;1;2;4;6;9;15;16;22;28c`,
    ],
    expected: { modes: ['truecolor', '256', 'ascii'] },
  },
  {
    name: 'foot 1.13',
    environment: { ...UTF8, TERM: 'foot', COLORTERM: 'truecolor' },
    answers: [
      `${E}P>|foot(1.13.1)${ST}`,
      `${E}P1$r0;48:2::1:2:3m${ST}`,
      `${E}]11;rgb:1111/1111/1111${ST}`,
      `${E}[6;14;7t`,
      `${E}[?1;0;1024S`,
      `${E}[?2;0;693;462S`,
      `${E}[?2;0;10000;10000S`,
      `${E}[?62;4;22c`,
    ],
    expected: {
      modes: ['sixel', 'truecolor', '256', 'ascii'],
      cell: { width: 7, height: 14 },
      isLight: false,
    },
  },
  {
    name: 'mlterm 3.9, which takes the nearest of its palette for a colour',
    environment: { ...UTF8, TERM: 'mlterm' },
    answers: [
      `${E}P1$r0;48;5;16m${ST}`,
      `${E}]11;rgb:ffff/ffff/ffff${ST}`,
      `${E}[6;19;10t`,
      `${E}[?1;0;1024S`,
      `${E}[?1;3;0S`,
      `${E}[?63;1;2;3;4;6;7;15;18;22;29c`,
    ],
    expected: {
      modes: ['sixel', '256', 'ascii'],
      cell: { width: 10, height: 19 },
      isLight: true,
    },
  },
  {
    name: 'VTE 0.70',
    environment: { ...UTF8, TERM: 'xterm-256color', COLORTERM: 'truecolor', VTE_VERSION: '7006' },
    answers: [
      `${E}P0$r${ST}`,
      `${E}]11;rgb:0000/0000/0000${ST}`,
      `${E}[?1;1S`,
      `${E}[?2;1S`,
      `${E}[?2;1S`,
      `${E}[?65;1;9c`,
    ],
    expected: { modes: ['truecolor', '256', 'ascii'], isLight: false },
  },
  {
    name: 'tmux 3.3',
    environment: { ...UTF8, TERM: 'tmux-256color', TERM_PROGRAM: 'tmux', TMUX: '/tmp/tmux,1,0' },
    answers: [`${E}P>|tmux 3.3a${ST}`, `${E}[?1;2c`],
    expected: { modes: ['256', 'ascii'] },
  },
  {
    name: 'tmux with sixels, in a terminal of 24-bit colours',
    environment: {
      ...UTF8,
      TERM: 'screen-256color',
      TMUX: '/tmp/tmux,1,0',
      COLORTERM: 'truecolor',
    },
    answers: [`${E}P>|tmux 3.4${ST}`, `${E}[6;16;8t`, `${E}[?1;2;4c`],
    expected: {
      modes: ['sixel', 'truecolor', '256', 'ascii'],
      cell: { width: 8, height: 16 },
    },
  },
  {
    name: 'WezTerm',
    environment: { ...UTF8, TERM: 'xterm-256color', TERM_PROGRAM: 'WezTerm' },
    answers: [
      `${E}_Gi=20615;OK${ST}`,
      `${E}P>|WezTerm 20240203-110809-5046fc22${ST}`,
      `${E}]11;rgb:0000/0000/0000${ST}`,
      `${E}[6;19;9t`,
      `${E}[?65;4;6;18;22c`,
    ],
    expected: {
      modes: ['kitty', 'sixel', 'truecolor', '256', 'ascii'],
      cell: { width: 9, height: 19 },
      isLight: false,
    },
  },
  {
    name: 'Windows Terminal 1.22',
    environment: { WT_SESSION: '0' },
    answers: [`${E}[6;20;10t`, `${E}[?61;4;6;7;14;21;22;23;24;28;32;42c`],
    expected: {
      modes: ['sixel', 'truecolor', '256', 'ascii'],
      cell: { width: 10, height: 20 },
    },
  },
  {
    name: 'Terminal.app',
    environment: { LANG: 'de_DE.UTF-8', TERM: 'xterm-256color', TERM_PROGRAM: 'Apple_Terminal' },
    answers: [`${E}[?1;2c`],
    expected: { modes: ['256', 'ascii'] },
  },
  {
    name: 'the console of Linux',
    environment: { ...UTF8, TERM: 'linux' },
    answers: [`${E}[?6c`],
    expected: { modes: ['256', 'ascii'] },
  },
];
