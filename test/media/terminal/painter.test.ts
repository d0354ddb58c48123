import assert from 'node:assert/strict';
import fc from 'fast-check';
import { until } from '../../../lib/lifecycle.ts';
import type { VideoFrame } from '../../../lib/media/frames.ts';
import type { Area } from '../../../lib/media/terminal/area.ts';
import type { Output, Painter, Participant } from '../../../lib/media/terminal/painter.ts';
import { GRAPHICS_MODES } from '../../../lib/media/terminal/renderer.ts';
import { CellScreen, KittyScreen, SCREEN } from '../../support/drawn-screens.ts';
import {
  AREA,
  Drain,
  painterOn,
  participant,
  screenFor,
  ScreenOutput,
  seenOn,
} from '../../support/painter-stage.ts';
import { controls } from '../../support/sequences.ts';
import { BLACK, plain, waves, WHITE, type Colour } from '../../support/terminal-pictures.ts';

const PATIENCE = 15_000;
const RED: Colour = [200, 20, 20];
const BLUE: Colour = [20, 20, 200];

function isInside(column: number, row: number, area = AREA): boolean {
  return (
    column >= area.column &&
    column < area.column + area.width &&
    row >= area.row &&
    row < area.row + area.height
  );
}

function isNear(seen: Colour, expected: Colour): boolean {
  return seen.every((part, index) => Math.abs(part - expected[index]!) <= 4);
}

describe('a painter', () => {
  let painter: Painter | undefined;
  afterEach(() => painter?.stop());

  /** Waits for the ground of a cell. */
  async function see(screen: CellScreen, column: number, row: number, colour: Colour) {
    const ground = (): Colour => screen.cell(column, row).ground;
    const isSeen = await until(PATIENCE, () => isNear(ground(), colour));
    assert.ok(isSeen, `${ground().join()} instead of ${colour.join()}`);
  }

  async function seeText(screen: CellScreen, text: string, isThere = true): Promise<void> {
    const has = (): boolean =>
      Array.from({ length: SCREEN.rows }, (_, row) => screen.row(row + 1)).some((line) =>
        line.includes(text),
      );
    assert.ok(await until(PATIENCE, () => has() === isThere), text);
  }

  it('shows each picture in its tile, with the name below', async () => {
    const screen = new CellScreen('blocks');
    painter = painterOn(new ScreenOutput(screen));
    painter.show([participant('alice'), participant('bob', { isMuted: true })]);
    painter.frame('alice', plain(320, 200, RED));
    painter.frame('bob', plain(320, 200, BLUE));
    // One above the other: 32 columns and 9 rows each, in the middle.
    await see(screen, 30, 7, RED);
    await see(screen, 30, 17, BLUE);
    await seeText(screen, 'muted');
    assert.equal(screen.row(12).trim(), 'alice');
    assert.match(screen.row(22), /^ {13}bob {24}muted {6}/);
    assert.deepEqual([painter.counts.drawn, painter.counts.dropped], [2, 0]);
  });

  for (const mode of GRAPHICS_MODES)
    it(`touches nothing outside of its area, and leaves that empty: ${mode}`, async () => {
      const screen = screenFor(mode);
      const output = new ScreenOutput(screen);
      const one = painterOn(output, mode);
      painter = one;
      one.show([participant('alice'), participant('bob'), participant('carol')], 'bob');
      for (const id of ['alice', 'bob', 'carol']) one.frame(id, waves(160, 120, 3));
      assert.ok(await until(PATIENCE, () => one.counts.drawn === 3));
      one.resize({ ...AREA, width: 30, height: 12 });
      assert.ok(await until(PATIENCE, () => one.counts.drawn === 6));
      one.resize(AREA);
      for (let number = 0; number < 5; number++) one.frame('alice', waves(160, 120, number));
      assert.ok(await until(PATIENCE, () => one.counts.drawn >= 9 && output.underWay === 0));
      let touched = 0;
      const count = (): void => {
        touched = 0;
        for (let row = 1; row <= SCREEN.rows; row++)
          for (let column = 1; column <= SCREEN.columns; column++)
            if (screen.isTouched(column, row)) {
              assert.ok(isInside(column, row), `${column}, ${row}`);
              touched += 1;
            }
      };
      count();
      assert.ok(touched > 300);
      await one.stop();
      count();
      // Sixels are gone when their cells are written over, which is not decoded here.
      if (mode !== 'sixel') assert.equal(touched, 0);
      if (screen instanceof KittyScreen) assert.equal(screen.images.size, 0);
      const { bytes } = one.counts;
      one.frame('alice', waves(160, 120, 9));
      one.show([]);
      one.resize(AREA);
      one.repaint();
      assert.equal(one.counts.bytes, bytes);
    });

  it('leaves the prompt as it is: cursor, colours, what is typed', async () => {
    const screen = new CellScreen('blocks');
    const prompt = '\u001b[28;1H\u001b[1;32m>>> \u001b[0mhel';
    await screen.write(prompt);
    const output = new ScreenOutput(screen);
    const one = painterOn(output);
    painter = one;
    one.show([participant('alice'), participant('bob')]);
    for (let number = 0; number < 8; number++) {
      one.frame('alice', waves(160, 120, number));
      await until(50, () => false);
      // What is typed meanwhile stands where it belongs.
      if (number === 4) await screen.write('lo');
    }
    assert.ok(await until(PATIENCE, () => one.counts.drawn > 2 && output.underWay === 0));
    assert.equal(screen.row(28).trimEnd(), '>>> hello');
    const { cursorX, cursorY } = screen.terminal.buffer.active;
    assert.deepEqual([cursorX, cursorY], [9, 27]);
  });

  it('writes nothing for a picture that is like the last one', async () => {
    const drain = new Drain();
    const one = painterOn(drain, 'truecolor', { fps: 1_000 });
    painter = one;
    one.show([participant('alice')]);
    one.frame('alice', waves(160, 120, 1));
    assert.ok(await until(PATIENCE, () => one.counts.drawn === 1));
    const settled = (): Promise<boolean> => {
      let [bytes, same] = [-1, 0];
      return until(PATIENCE, () => {
        same = drain.bytes === bytes ? same + 1 : 0;
        bytes = drain.bytes;
        return same > 10;
      });
    };
    assert.ok(await settled());
    const before = drain.bytes;
    one.frame('alice', waves(160, 120, 1));
    assert.ok(await until(PATIENCE, () => one.counts.drawn === 2));
    assert.ok(await settled());
    assert.equal(drain.bytes, before);
  });

  it('draws the newest of the pictures that came while the terminal was busy', async () => {
    const screen = new CellScreen('blocks');
    const output = new ScreenOutput(screen);
    painter = painterOn(output);
    painter.show([participant('alice')]);
    for (const level of [20, 90, 160])
      painter.frame('alice', plain(320, 200, [level, level, level]));
    await see(screen, 25, 12, [160, 160, 160]);
    assert.deepEqual([painter.counts.drawn, painter.counts.dropped], [1, 2]);
  });

  it('shows an initial where there is no picture, and the picture again once there is', async () => {
    const screen = new CellScreen('blocks');
    painter = painterOn(new ScreenOutput(screen));
    painter.show([participant('alice')]);
    await seeText(screen, ' A ');
    painter.frame('alice', plain(320, 200, RED));
    await see(screen, 25, 12, RED);
    await seeText(screen, ' A ', false);
    painter.show([participant('alice', { hasCamera: false })]);
    await seeText(screen, ' A ');
    await seeText(screen, 'no camera');
    // Late pictures are not shown.
    painter.frame('alice', plain(320, 200, BLUE));
    assert.equal(painter.counts.dropped, 1);
    painter.show([participant('alice')]);
    await seeText(screen, 'no camera', false);
    painter.frame('alice', plain(320, 200, BLUE));
    await see(screen, 25, 12, BLUE);
  });

  it('deletes the image of somebody whose camera went off', async () => {
    const screen = new KittyScreen();
    const one = painterOn(new ScreenOutput(screen), 'kitty');
    painter = one;
    one.show([participant('alice')]);
    one.frame('alice', plain(320, 200, RED));
    assert.ok(await until(PATIENCE, () => screen.images.size === 1));
    one.show([participant('alice', { hasCamera: false })]);
    assert.ok(await until(PATIENCE, () => screen.images.size === 0));
  });

  it('leaves no image behind when it is resized again and again', async () => {
    const screen = new KittyScreen();
    const output = new ScreenOutput(screen);
    const one = painterOn(output, 'kitty', { portion: 2_000 });
    painter = one;
    one.show([participant('alice'), participant('bob')]);
    for (let number = 0; number < 40; number++) {
      one.frame('alice', waves(320, 200, number));
      one.frame('bob', waves(320, 200, number + 3));
      // In the midst of images, and several times before anything of it is written.
      await until(number % 4, () => false);
      for (let time = 0; time <= number % 3; time++)
        one.resize({ ...AREA, width: 30 + ((number + time) % 20) });
    }
    const drawn = one.counts.drawn;
    assert.ok(await until(PATIENCE, () => one.counts.drawn >= drawn + 2 && output.underWay === 0));
    assert.ok(await until(PATIENCE, () => screen.images.size === 2));
    assert.equal(screen.placements.size, 2);
    await one.stop();
    assert.deepEqual([screen.images.size, screen.placements.size], [0, 0]);
  });

  for (const mode of ['truecolor', 'ascii', 'kitty'] as const)
    it(`shows how things are, whatever has happened: ${mode}`, async () => {
      const ids = ['alice', 'bob', 'carol', 'dave'];
      const anyone = fc.constantFrom(...ids);
      const people = fc.subarray(ids, { minLength: 1 });
      const event = fc.oneof(
        fc.record({
          type: fc.constant('show' as const),
          people,
          without: fc.subarray(ids),
          muted: fc.subarray(ids),
          enlarged: fc.option(anyone),
        }),
        fc.record({ type: fc.constant('frame' as const), id: anyone, number: fc.nat({ max: 9 }) }),
        fc.record({ type: fc.constant('frame' as const), id: anyone, number: fc.nat({ max: 9 }) }),
        fc.record({
          type: fc.constant('resize' as const),
          width: fc.integer({ min: 30, max: 60 }),
          height: fc.integer({ min: 14, max: 26 }),
        }),
        fc.record({ type: fc.constant('wait' as const), milliseconds: fc.nat({ max: 12 }) }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 25 }), async (events) => {
          const screen = screenFor(mode) as CellScreen | KittyScreen;
          const one = painterOn(new ScreenOutput(screen), mode, { fps: 500, portion: 2_000 });
          let [area, shown, large]: [Area, Participant[], string | undefined] = [
            AREA,
            [],
            undefined,
          ];
          const pictures = new Map<string, VideoFrame>();
          for (const happens of events)
            if (happens.type === 'show') {
              shown = happens.people.map((id) =>
                participant(id, {
                  hasCamera: !happens.without.includes(id),
                  isMuted: happens.muted.includes(id),
                }),
              );
              large = happens.enlarged ?? undefined;
              one.show(shown, large);
              for (const id of ids)
                if (!shown.some((who) => who.id === id && who.label.hasCamera)) pictures.delete(id);
            } else if (happens.type === 'frame') {
              const picture = waves(60, 40, happens.number);
              one.frame(happens.id, picture);
              if (shown.some(({ id, label }) => id === happens.id && label.hasCamera))
                pictures.set(happens.id, picture);
            } else if (happens.type === 'resize') {
              // What is outside is somebody else's; here, nobody's. Nothing may come between: it
              // would be of the area as it was.
              void screen.write(Buffer.from('\u001b[0m\u001b[2J'));
              area = { ...AREA, width: happens.width, height: happens.height };
              one.resize(area);
            } else await until(happens.milliseconds, () => false);
          const fresh = screenFor(mode) as CellScreen | KittyScreen;
          const other = painterOn(new ScreenOutput(fresh), mode, { area });
          other.show(shown, large);
          for (const [id, picture] of pictures) other.frame(id, picture);
          const isDone = (): boolean => other.counts.drawn === pictures.size;
          assert.ok(await until(PATIENCE, isDone), 'the other one is done');
          const isSame = await until(PATIENCE / 3, () => seenOn(screen) === seenOn(fresh));
          if (!isSame) assert.equal(seenOn(screen), seenOn(fresh));
          await one.stop();
          await other.stop();
        }),
        { numRuns: 20 },
      );
    }).timeout(120_000);

  it('paints all of it again, with the last pictures, when it is resized or written over', async () => {
    const screen = new CellScreen('blocks');
    painter = painterOn(new ScreenOutput(screen));
    painter.show([participant('alice')]);
    painter.frame('alice', plain(320, 200, RED));
    await see(screen, 25, 12, RED);
    await screen.write('\u001b[2J');
    painter.repaint();
    await see(screen, 25, 12, RED);
    await seeText(screen, 'alice');
    await screen.write('\u001b[2J');
    painter.resize({ column: 1, row: 1, width: 20, height: 8 });
    await see(screen, 10, 4, RED);
    assert.equal(isNear(screen.cell(25, 12).ground, BLACK), true);
  });

  it('writes only the label when only that changes', async () => {
    const screen = new CellScreen('blocks');
    const output = new ScreenOutput(screen);
    painter = painterOn(output);
    painter.show([participant('alice'), participant('bob')]);
    painter.frame('alice', waves(160, 120, 1));
    painter.frame('bob', waves(160, 120, 2));
    const { counts } = painter;
    assert.ok(counts.bytes > 0);
    assert.ok(await until(PATIENCE, () => painter?.counts.drawn === 2 && output.underWay === 0));
    const before = output.portions.length;
    painter.show([participant('alice'), participant('bob', { isTalking: true })]);
    await seeText(screen, '* bob');
    assert.equal(output.portions.length, before + 1);
    assert.equal(controls(Buffer.from(output.portions.at(-1)!), 'H').length, 1);
    assert.equal(painter.counts.drawn, 2);
  });

  it('says what pictures it can make use of', () => {
    painter = painterOn(new Drain(), 'kitty', { fps: 15 });
    assert.deepEqual(painter.wanted(), new Map());
    painter.show([participant('alice'), participant('bob')], 'bob');
    const [alice, bob] = ['alice', 'bob'].map((id) => painter!.wanted().get(id)!);
    assert.equal(alice?.fps, 15);
    assert.ok(bob!.width > 2 * alice.width && bob!.height > 2 * alice.height);
    assert.equal(alice.width % 2, 0);
    painter.resize({ ...AREA, width: 3 });
    assert.equal(painter.wanted().size, 0);
  });

  it('refuses what is no picture, and drops what is of nobody', () => {
    painter = painterOn(new Drain());
    painter.show([participant('alice')]);
    const picture = plain(16, 16, WHITE);
    const bad: VideoFrame[] = [
      { ...picture, data: picture.data.subarray(1) },
      { ...picture, width: 0 },
      { ...picture, height: 1e9 },
    ];
    for (const frame of bad) painter.frame('alice', frame);
    painter.frame('nobody', picture);
    assert.deepEqual([painter.counts.refused, painter.counts.dropped], [3, 1]);
  });

  it('does not mind that a picture is taken back before it is drawn', async () => {
    const drain = new Drain();
    drain.isHeld = true;
    const one = painterOn(drain);
    painter = one;
    one.show([participant('alice')]);
    const picture = plain(16, 16, WHITE);
    one.frame('alice', picture);
    // Handed to another thread, the bytes are gone here.
    structuredClone(picture.data, { transfer: [picture.data.buffer as ArrayBuffer] });
    drain.release();
    assert.ok(await until(PATIENCE, () => one.counts.refused === 1));
    one.frame('alice', plain(16, 16, WHITE));
    assert.ok(await until(PATIENCE, () => one.counts.drawn === 1));
  });

  it('goes on without a terminal', async () => {
    let writes = 0;
    const gone: Output = {
      write: (_bytes, callback) => {
        writes += 1;
        callback(new Error('EIO'));
      },
    };
    painter = painterOn(gone);
    painter.show([participant('alice')]);
    for (let number = 0; number < 5; number++) painter.frame('alice', waves(64, 48, number));
    await until(30, () => false);
    painter.resize(AREA);
    await painter.stop();
    assert.equal(writes, 1);
  });

  it('has nobody, and no room, without ado', async () => {
    const drain = new Drain();
    const one = painterOn(drain, 'truecolor', { area: { ...AREA, width: 0, height: 0 } });
    painter = one;
    one.show([participant('alice')]);
    one.frame('alice', plain(16, 16, WHITE));
    assert.equal(one.counts.dropped, 1);
    await one.stop();
    assert.equal(drain.bytes, 0);
  });
});
