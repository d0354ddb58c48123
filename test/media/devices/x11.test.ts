import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { thisHost } from '../../../lib/media/devices/host.ts';
import {
  findWindow,
  isDisplay,
  parseWindows,
  WAYLAND_HELP,
  x11Screens,
} from '../../../lib/media/devices/x11.ts';
import { temporary } from '../../support/temporary.ts';

const TREE = `
xwininfo: Window id: 0x50d (the root window) (has no name)

  Root window id: 0x50d (the root window) (has no name)
  Parent window id: 0x0 (none)
     5 children:
     0x1a00003 "Übersicht — "Mozilla" Firefox": ("Navigator" "firefox")  1200x800+0+27  +10+37
        1 child:
        0x1a00004 (has no name): ()  1200x800+0+0  +11+38
     0x20000a "clock": ("xclock" "XClock")  164x164+50+60  +50+60
     0x300001 "mutter guard window": ()  1x1+-100+-100  +-100+-100
     0x300002 "Terminal": ("term" "Term")  800x600+-5+0  +-5+0
     0x300003 "terminal": ("term" "Term")  800x600-5+0  +-5+0
`;

describe('displays of X', () => {
  const { newDirectory } = temporary();
  const host = (environment: NodeJS.ProcessEnv) => ({ ...thisHost(), environment });

  const servers: Server[] = [];
  const serve = async (path: string): Promise<void> => {
    const server = createServer((socket) => socket.destroy());
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
  };
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it('are recognised by their form', () => {
    for (const name of [':0', ':99.0', 'localhost:10.0', 'big-host.example:1'])
      assert.equal(isDisplay(name), true, name);
    for (const name of [
      '',
      '0',
      ':',
      ':0 -i /etc/passwd',
      ':0+10,20',
      'a b:0',
      ':0\n',
      '-:x',
      ':1.2.3',
    ])
      assert.equal(isDisplay(name), false, name);
  });

  it('are listed by their sockets, the own one first', async () => {
    const sockets = await newDirectory();
    for (const name of ['X10', 'X9', 'X0', 'Xfoo', 'other']) await serve(join(sockets, name));
    // What a server has left that was killed.
    await writeFile(join(sockets, 'X7'), '');
    assert.deepEqual(await x11Screens(host({ DISPLAY: ':9.0' }), sockets), {
      devices: [
        { kind: 'screen', id: ':9.0', label: 'X display :9.0', isDefault: true },
        { kind: 'screen', id: ':0', label: 'X display :0' },
        { kind: 'screen', id: ':10', label: 'X display :10' },
      ],
      problems: [],
    });
    const { devices } = await x11Screens(host({ DISPLAY: ':0; rm -rf' }), sockets);
    assert.deepEqual(
      devices.map(({ id }) => id),
      [':0', ':9', ':10'],
    );
  });

  it('are of little use on Wayland, which is said', async () => {
    const sockets = join(await newDirectory(), 'none');
    const wayland = { WAYLAND_DISPLAY: 'wayland-0' };
    assert.deepEqual(await x11Screens(host(wayland), sockets), {
      devices: [],
      problems: [WAYLAND_HELP],
    });
    await mkdir(sockets);
    await serve(join(sockets, 'X0'));
    const { devices, problems } = await x11Screens(host({ ...wayland, DISPLAY: ':0' }), sockets);
    assert.equal(devices.length, 1);
    assert.match(problems[0] ?? '', /Wayland/);
    assert.deepEqual((await x11Screens(host({}), '/nowhere')).problems, []);
  });

  it('have windows, which are found by their titles', () => {
    const windows = parseWindows(TREE);
    assert.deepEqual(windows, [
      { id: '0x1a00003', title: 'Übersicht — "Mozilla" Firefox' },
      { id: '0x20000a', title: 'clock' },
      { id: '0x300002', title: 'Terminal' },
      { id: '0x300003', title: 'terminal' },
    ]);
    assert.equal(findWindow(windows, 'terminal')?.id, '0x300003');
    assert.equal(findWindow(windows, 'TERMINAL')?.id, '0x300002');
    assert.equal(findWindow(windows, 'firefox')?.id, '0x1a00003');
    assert.equal(findWindow(windows, 'no such'), undefined);
    assert.deepEqual(parseWindows(''), []);
  });

  it('have windows whose titles may be anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 200 }), (title) => {
        const line = `     0x20000a "${title}": ("a" "B")  164x164+50+60  +50+60\n`;
        for (const { id } of parseWindows(line)) assert.match(id, /^0x[0-9a-f]{1,8}$/);
      }),
    );
    const many = '     0x1 "x": ("a" "B")  64x64+50+60  +50+60\n'.repeat(5_000);
    assert.equal(parseWindows(many).length, 1_000);
  });
});
