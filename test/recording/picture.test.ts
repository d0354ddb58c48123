import assert from 'node:assert/strict';
import { Agenda } from './agenda.ts';
import { pictureOf } from './picture.ts';
import type { Frame, Run } from './screen.ts';

const LAYOUT = { columns: 40, rows: 5, across: 2 };
const REST_MS = 4_000;

function runOf(text: string, column = 0): Run {
  return { column, text, color: undefined, bold: false, dim: false };
}

function frame(at: number, ...rows: string[]): Frame {
  return { at, rows: rows.map((text) => [runOf(text)]) };
}

/** When each row that shows a text is there, in milliseconds. */
function timesOf(
  svg: string,
  text: string,
  lastsMs: number,
): (readonly [from: number, to: number])[] {
  const ids = [...svg.matchAll(/<g id="(\w+)">(.*)<\/g>/g)]
    .filter(([, , content = '']) => content.replace(/<[^>]+>/g, '') === text)
    .map(([, id = '']) => id);
  return [...svg.matchAll(/keyTimes="([^"]+)".*?\/>(.*)<\/g>/g)]
    .filter(([, , uses = '']) => ids.some((id) => uses.includes(`"#${id}"`)))
    .map(([, keys = '']) => {
      const [, from = 0, to = 1] = keys.split(';').map(Number);
      return [Math.round(from * lastsMs), Math.round(to * lastsMs)] as const;
    });
}

function assertTimes(
  actual: readonly (readonly [number, number])[],
  ...wanted: [number, number][]
): void {
  assert.equal(actual.length, wanted.length);
  for (const [index, times] of wanted.entries())
    for (const [side, time] of times.entries())
      assert(Math.abs((actual[index]?.[side] ?? Number.NaN) - time) < 5, `${actual.join(' | ')}`);
}

describe('the picture of a recording', () => {
  it('shows each row while it stands there', () => {
    const frames = [frame(0, 'one', 'two'), frame(1_000, 'one', 'three'), frame(2_000, 'four', '')];
    const { svg, lastsMs } = pictureOf([{ title: 'somebody', frames }], LAYOUT);
    assert.equal(lastsMs, 2_000 + REST_MS);
    assertTimes(timesOf(svg, 'one', lastsMs), [0, 2_000]);
    assertTimes(timesOf(svg, 'two', lastsMs), [0, 1_000]);
    assertTimes(timesOf(svg, 'three', lastsMs), [1_000, 2_000]);
    assertTimes(timesOf(svg, 'four', lastsMs), [2_000, lastsMs]);
  });

  it('draws halves of cells and grounds as such, those of one colour together', () => {
    const look = { color: 196, background: 21, bold: false, dim: false };
    const runs: Run[] = [
      { column: 2, text: '▀▀ ▄x', ...look },
      { column: 9, text: '▀', ...look },
    ];
    const { svg } = pictureOf([{ title: 'somebody', frames: [{ at: 0, rows: [runs] }] }], LAYOUT);
    assert.ok(svg.includes('<path fill="#0000ff" d="M2 0h5v1h-5zM9 0h1v1h-1z"/>'), svg);
    const red = 'M2 0h2v0.5h-2zM5 0.5h1v0.5h-1zM9 0h1v0.5h-1z';
    assert.ok(svg.includes(`<path fill="#ff0000" d="${red}"/>`), svg);
    assert.match(svg, /<text x="46.8" fill="#ff0000"[^>]*>x<\/text>/);
  });

  it('leaves out what nobody could see', () => {
    const frames = [frame(0, 'a'), frame(500, 'ab'), frame(510, 'abc'), frame(900, 'abc')];
    const { svg, lastsMs } = pictureOf([{ title: '', frames }], LAYOUT);
    assertTimes(timesOf(svg, 'ab', lastsMs));
    assertTimes(timesOf(svg, 'abc', lastsMs), [510, lastsMs]);
  });

  it('cuts the time in which nothing happens anywhere', () => {
    const one = [frame(0, 'begin'), frame(60_000, 'end')];
    const other = [frame(1_500, 'here'), frame(3_000, 'there')];
    const { svg, lastsMs } = pictureOf(
      [
        { title: '', frames: one },
        { title: '', frames: other },
      ],
      LAYOUT,
    );
    // Of the 57 seconds after the last word 2 are left.
    assert.equal(lastsMs, 5_000 + REST_MS);
    assertTimes(timesOf(svg, 'there', lastsMs), [3_000, lastsMs]);
    assertTimes(timesOf(svg, 'begin', lastsMs), [0, 5_000]);
  });

  it('puts panels beside and below each other, each with its title', () => {
    const panels = ['ann', 'joe', 'mia'].map((title) => ({ title, frames: [frame(0, title)] }));
    const { svg } = pictureOf(panels, LAYOUT);
    const places = [...svg.matchAll(/translate\((\d+) (\d+)\)">\n<rect.*\n<text[^>]*>(\w+)</g)];
    const titles = places.map(([, , , title]) => title);
    assert.deepEqual(titles, ['ann', 'joe', 'mia']);
    const across = places.map(([, x]) => Number(x));
    const down = places.map(([, , y]) => Number(y));
    assert(across[0] === 0 && Number(across[1]) > 0 && across[2] === 0);
    assert(down[0] === 0 && down[1] === 0 && Number(down[2]) > 0);
  });

  it('lets no text of a screen become a part of it', () => {
    const { svg } = pictureOf([{ title: '<t>', frames: [frame(0, '<b>&amp;')] }], LAYOUT);
    assert(svg.includes('&lt;b&gt;&amp;amp;') && svg.includes('&lt;t&gt;'));
  });
});

describe('the agenda of a recording', () => {
  it('marks what has been, what is, and what is to come', () => {
    const agenda = new Agenda(['first', 'second', 'third'], LAYOUT, performance.now());
    agenda.begin('second');
    agenda.end();
    const signs = agenda.frames.map(({ rows }) => rows.flatMap(([sign]) => sign?.text ?? []));
    assert.deepEqual(signs, [
      ['✓', '▸', '·'],
      ['✓', '✓', '✓'],
    ]);
  });
});
