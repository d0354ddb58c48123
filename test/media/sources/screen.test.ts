import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { until } from '../../../lib/lifecycle.ts';
import { thisHost, type Host } from '../../../lib/media/devices/host.ts';
import { WAYLAND_HELP, xWindows } from '../../../lib/media/devices/x11.ts';
import type { VideoFrame } from '../../../lib/media/frames.ts';
import type { VideoSource } from '../../../lib/media/streams.ts';
import {
  avfoundationScreenInput,
  gdigrabInput,
  openScreenDevice,
  parseScreen,
  x11Input,
} from '../../../lib/media/sources/screen.ts';
import { XDisplay } from '../../support/media-devices.ts';
import { describeVideoSource } from '../../support/media-source-contract.ts';

const SIZE = { width: 640, height: 480, fps: 10 };

/** The colour at a quarter of the way, where no pointer is: luma, and how much bluer and redder than grey. */
function colourOf({ width, height, data }: VideoFrame): [number, number, number] {
  const chroma = Math.floor(height / 8) * (width / 2) + Math.floor(width / 8);
  const luma = data[Math.floor(height / 4) * width + Math.floor(width / 4)] ?? 0;
  const blue = data[width * height + chroma] ?? 0;
  const red = data[width * height + (width * height) / 4 + chroma] ?? 0;
  return [luma, blue, red];
}

/** Programs draw some time after their window is there. */
const MOST_FRAMES = 100;

/** Waits for a picture of a colour. */
async function seeColour(
  screen: VideoSource,
  expected: readonly [number, number, number],
): Promise<VideoFrame> {
  let count = 0;
  for await (const frame of screen.frames()) {
    const seen = colourOf(frame);
    if (seen.every((value, at) => Math.abs(value - expected[at]!) <= 4)) return frame;
    if (++count > MOST_FRAMES) assert.fail(`${seen.join()} is not ${expected.join()}`);
  }
  return assert.fail('it has ended');
}

describe('a screen', function () {
  this.timeout(60_000);
  let display: XDisplay;
  before(async () => (display = await XDisplay.start(640, 480)));
  after(() => display.stop());

  describeVideoSource('an X display', () => openScreenDevice(display.host, display.name, SIZE));

  it('has its colours, by BT.601 and of limited range', async () => {
    for (const [colour, expected] of [
      ['#ff0000', [81, 90, 240]],
      ['#00ff00', [145, 54, 34]],
      ['#0000ff', [41, 240, 110]],
      ['#ffffff', [235, 128, 128]],
      ['#000000', [16, 128, 128]],
    ] as const) {
      await display.run('xsetroot', '-solid', colour);
      const screen = await openScreenDevice(display.host, 'default', SIZE);
      const { width, height } = await seeColour(screen, expected);
      await screen.close();
      assert.deepEqual([width, height], [640, 480]);
    }
  });

  it('is followed as it changes, in the size that is wanted', async () => {
    await display.run('xsetroot', '-solid', '#000000');
    const screen = await openScreenDevice(display.host, display.name, { ...SIZE, width: 200 });
    assert.equal(screen.label, `screen ${display.name}`);
    const iterator = screen.frames()[Symbol.asyncIterator]();
    const next = async (): Promise<VideoFrame> => (await iterator.next()).value as VideoFrame;
    const first = await next();
    assert.deepEqual([first.width, first.height], [200, 150]);
    assert.equal(colourOf(first)[2], 128);
    await display.run('xsetroot', '-solid', '#ff0000');
    for (let count = 0; colourOf(await next())[2] < 230; count++) assert.ok(count < MOST_FRAMES);
    await screen.close();
  });

  describe('of which one window is shared', () => {
    const show = async (title: string, colour: string): Promise<string> => {
      const look = ['-bg', colour, '-hd', colour, '-fg', colour, '-hl', colour];
      display.open('xclock', 'x11-apps', '-name', title, '-geometry', '200x120+300+200', ...look);
      let id: string | undefined;
      await until(30_000, async () => {
        const windows = await xWindows(display.host, display.name);
        id = windows?.find((one) => one.title === title)?.id;
        return id !== undefined;
      });
      assert.ok(id !== undefined, 'the window has come up');
      return id;
    };

    it('is found by its title, a part of it, or its number', async () => {
      await display.run('xsetroot', '-solid', '#000000');
      const id = await show('Blue clock', '#0000ff');
      for (const spec of ['window:Blue clock', 'window:blue', `window:${id}`]) {
        const screen = await openScreenDevice(display.host, spec, SIZE);
        const { width, height } = await seeColour(screen, [41, 240, 110]);
        await screen.close();
        assert.deepEqual([width, height], [200, 120]);
      }
    });

    it('ends when it is closed', async () => {
      const id = await show('Short', '#00ff00');
      const screen = await openScreenDevice(display.host, `window:${id}`, SIZE);
      await promisify(execFile)('xkill', ['-display', display.name, '-id', id]);
      await assert.rejects(
        async () => {
          for await (const _ of screen.frames());
        },
        { code: 'NO_DEVICE' },
      );
      await screen.close();
    });

    it('is refused where there is none, with those there are', async () => {
      await show('There', '#00ff00');
      await assert.rejects(openScreenDevice(display.host, 'window:not there \u001b[31m', SIZE), {
        code: 'NO_DEVICE',
        message: /^There is no window "not there"\. There are: .*"There"/,
      });
      await assert.rejects(openScreenDevice(display.host, 'window:0xdead', SIZE), {
        code: 'NO_DEVICE',
        message: /Can't find window/,
      });
      const lacking: Host = {
        ...display.host,
        environment: { ...display.host.environment, PATH: '/nowhere' },
      };
      await assert.rejects(
        openScreenDevice(lacking, 'window:There', SIZE),
        /apt install x11-utils/,
      );
    });
  });

  it('ends when its server does', async () => {
    const other = await XDisplay.start(320, 240);
    const screen = await openScreenDevice(other.host, other.name, SIZE);
    await other.stop();
    await assert.rejects(
      async () => {
        for await (const _ of screen.frames());
      },
      { code: 'NO_DEVICE' },
    );
    await screen.close();
  });

  it('is refused where it is not there', async () => {
    const host = thisHost();
    await assert.rejects(openScreenDevice(host, ':7654', SIZE), {
      code: 'NO_DEVICE',
      message: 'screen :7654 gives no pictures: Cannot open display :7654, error 1.',
    });
    await assert.rejects(openScreenDevice(host, 'whatever', SIZE), {
      message: 'There is no screen "whatever".',
    });
    const nowhere = { ...host, environment: {} };
    await assert.rejects(openScreenDevice(nowhere, 'default', SIZE), {
      code: 'NO_DEVICE',
      message: 'There is no screen: DISPLAY is not set.',
    });
    const wayland = { ...host, environment: { WAYLAND_DISPLAY: 'wayland-0' } };
    await assert.rejects(openScreenDevice(wayland, 'default', SIZE), { message: WAYLAND_HELP });
  });
});

describe('what a person writes for a screen', () => {
  it('is a display, a number, a window, or the usual one', () => {
    assert.deepEqual(parseScreen(':0'), { display: ':0' });
    assert.deepEqual(parseScreen(':99.0'), { display: ':99.0' });
    assert.deepEqual(parseScreen('1'), { display: '1' });
    assert.deepEqual(parseScreen('Capture screen 0'), { display: 'Capture screen 0' });
    assert.deepEqual(parseScreen('window: a b '), { window: 'a b' });
    for (const spec of ['default', 'desktop']) assert.equal(parseScreen(spec), 'default');
    for (const spec of ['', 'window:', ':0 -i x', '../x'])
      assert.equal(parseScreen(spec), undefined);
  });
});

describe('what ffmpeg is told of a screen', () => {
  const plain = (args: readonly string[]): string =>
    args
      .filter((one) => !/^(?:nobuffer|32|0|-fflags|-probesize|-analyzeduration)$/.test(one))
      .join(' ');

  it('names the display of X, and a window by its number', () => {
    assert.equal(plain(x11Input(':1', 15)), '-f x11grab -framerate 15 -i :1');
    assert.equal(
      plain(x11Input(':1', 15, '0x1a00003')),
      '-f x11grab -framerate 15 -window_id 0x1a00003 -i :1',
    );
  });

  it('names its number on macOS', () => {
    assert.equal(
      plain(avfoundationScreenInput(2, 15)),
      '-f avfoundation -capture_cursor 1 -framerate 15 -i 2:none',
    );
  });

  it('names the desktop of Windows, or the title of a window in one word', () => {
    assert.equal(plain(gdigrabInput(15)), '-f gdigrab -framerate 15 -i desktop');
    assert.equal(gdigrabInput(15, 'a "b" & calc').at(-1), 'title=a "b" & calc');
  });

  it('is refused where a system has no such thing', async () => {
    const mac = { ...thisHost(), platform: 'darwin' } as const;
    await assert.rejects(openScreenDevice(mac, 'window:x', SIZE), {
      code: 'NO_DEVICE',
      message: /macOS/,
    });
    const windows = { ...thisHost(), platform: 'win32' } as const;
    await assert.rejects(openScreenDevice(windows, ':0', SIZE), {
      code: 'NO_DEVICE',
      message: /Windows/,
    });
  });
});
