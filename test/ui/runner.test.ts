import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CommandCall } from '../../lib/app/types.ts';
import { ClchatError } from '../../lib/errors.ts';
import { COMMANDS } from '../../lib/ui/commands.ts';
import { BARE } from '../../lib/ui/format.ts';
import { helpFor, helpOverview } from '../../lib/ui/help.ts';
import {
  errorLine,
  failure,
  resultLine,
  run,
  statusOf,
  type Context,
  type Local,
  type Outcome,
} from '../../lib/ui/runner.ts';
import { Settings } from '../../lib/ui/settings.ts';
import { FakeApp } from '../support/fake-app.ts';

const HOSTILE = '\u001b[2Jbob\u202e';

describe('a command carried out', () => {
  let app: FakeApp;
  let settings: Settings;
  let quits: number;
  beforeEach(() => {
    app = new FakeApp({ user: 'alice' });
    settings = new Settings();
    quits = 0;
  });

  function context(local: Partial<Local> = {}, more: Partial<Context> = {}): Context {
    return { app, style: BARE, local: { settings, quit: () => (quits += 1), ...local }, ...more };
  }
  const call = (name: string, args: CommandCall['args'] = {}): CommandCall => ({ name, args });

  it('gives its text and its data, both safe to print', async () => {
    app.handlers.set('whoelse', () => ({ users: [HOSTILE], [HOSTILE]: [{ deep: HOSTILE }] }));
    assert.deepEqual(await run(call('whoelse'), context()), {
      ok: true,
      text: 'bob',
      data: { users: ['bob'], bob: [{ deep: 'bob' }] },
    });
  });

  it('gives the code and the text of what refused it', async () => {
    assert.deepEqual(await run(call('message', { user: 'nobody', message: 'x' }), context()), {
      ok: false,
      code: 'NO_SUCH_USER',
      text: 'There is no user of that name.',
    });
    app.handlers.set('block', () => {
      throw new ClchatError('DENIED', `Not for ${HOSTILE}.`);
    });
    assert.deepEqual(await run(call('block', { user: 'bob' }), context()), {
      ok: false,
      code: 'DENIED',
      text: 'Not for bob.',
    });
  });

  it('tells nothing of an error that is not ours, thrown or rejected', async () => {
    const told = {
      ok: false,
      code: 'INTERNAL',
      text: 'Something went wrong inside the program.',
    };
    const fault = new TypeError('/home/alice/secret');
    app.handlers.set('whoelse', () => Promise.reject(fault));
    assert.deepEqual(await run(call('whoelse'), context()), told);
    app.handlers.set('whoelse', () => {
      throw fault;
    });
    assert.deepEqual(await run(call('whoelse'), context()), told);
    for (const other of ['/home/alice/secret', undefined, { code: 'DENIED', message: 'x' }])
      assert.deepEqual(failure(other), told);
  });

  it('exits a room where one is entered, and the program at the top', async () => {
    app.room = 'garden';
    app.handlers.set('exit', () => ({ room: 'garden', given: true }));
    const outcome = await run(call('exit'), context());
    assert.deepEqual([outcome.ok, quits], [true, 0]);
    assert.match(outcome.text, /You have left garden/);
    app.room = undefined;
    assert.equal((await run(call('exit'), context())).ok, true);
    assert.equal(quits, 1);
    assert.deepEqual(
      app.calls.map(({ name }) => name),
      ['exit'],
    );
  });

  it('passes on who can be asked, where there is somebody', async () => {
    const ask = { secret: async () => 'secret' } as unknown as NonNullable<Context['ask']>;
    app.user = undefined;
    const login = call('login', { username: 'bob' });
    assert.equal((await run(login, context())).ok, false);
    assert.equal((await run(login, context({}, { ask }))).ok, true);
  });

  it('never reaches the App where the front end does it itself', async () => {
    for (const { name } of COMMANDS.filter((command) => command.local === true))
      await run(call(name), context());
    assert.deepEqual(app.calls, []);
    for (const { name } of COMMANDS.filter((command) => command.local !== true))
      await run(call(name), context());
    assert.equal(app.calls.length, COMMANDS.filter((command) => command.local !== true).length);
  });

  describe('by the front end itself', () => {
    const text = async (made: CommandCall, local: Partial<Local> = {}): Promise<string> => {
      const outcome = await run(made, context(local));
      return outcome.ok ? outcome.text : outcome.code;
    };

    it('explains all commands, or one', async () => {
      assert.equal(await text(call('help')), helpOverview());
      assert.equal(await text(call('help', { command: 'msg' })), helpFor('message'));
      assert.equal(await text(call('help', { command: 'frobnicate' })), 'USAGE');
    });

    it('quits, by either word', async () => {
      assert.equal(await text(call('quit')), '');
      assert.equal(quits, 1);
      assert.equal(await text(call('exit')), '');
      assert.equal(quits, 2);
    });

    it('changes the mode and clears the screen, where there are such', async () => {
      assert.equal(await text(call('mode', { mode: 'chat' })), 'NOT_SUPPORTED');
      assert.equal(await text(call('clear')), 'NOT_SUPPORTED');
      const wanted: (string | undefined)[] = [];
      let cleared = 0;
      const local = {
        mode: (mode: string | undefined) => {
          wanted.push(mode);
          return 'command' as const;
        },
        clear: () => (cleared += 1),
      };
      assert.equal(await text(call('mode', { mode: 'command' }), local), 'command mode');
      assert.equal(await text(call('mode'), local), 'command mode');
      assert.deepEqual(wanted, ['command', undefined]);
      assert.equal(await text(call('clear'), local), '');
      assert.equal(cleared, 1);
    });

    it('shows a call as the person wants it, where it can be shown', async () => {
      const done: unknown[] = [];
      const pictures = {
        enlarge: (user: string | undefined) => {
          done.push(['enlarge', user]);
          return user !== 'carol';
        },
        want: (isWanted: boolean) => void done.push(['want', isWanted]),
      };
      const outcome = (name: string, args: CommandCall['args'] = {}, local: Partial<Local> = {}) =>
        run(call(name, args), context(local));
      for (const name of ['enlarge', 'video'])
        assert.equal(statusOf(await outcome(name, { state: 'on' })), 1);
      const enlarged = await outcome('enlarge', { user: 'bob' }, { pictures });
      assert.deepEqual(enlarged.ok && enlarged.data, { enlarged: 'bob' });
      const alike = await outcome('enlarge', {}, { pictures });
      assert.deepEqual(alike.ok && alike.data, { enlarged: '' });
      const nobody = await outcome('enlarge', { user: 'carol' }, { pictures });
      assert.equal(!nobody.ok && nobody.code, 'NOT_PARTICIPANT');
      await outcome('video', { state: 'off' }, { pictures });
      await outcome('video', { state: 'on' }, { pictures });
      assert.deepEqual(done, [
        ['enlarge', 'bob'],
        ['enlarge', undefined],
        ['enlarge', 'carol'],
        ['want', false],
        ['want', true],
      ]);
      assert.deepEqual(app.calls, []);
    });

    it('lists devices, and has one of them chosen and remembered', async () => {
      const devices = [
        { kind: 'camera', id: '/dev/video0', label: HOSTILE, isDefault: true },
        { kind: 'camera', id: '/dev/video2', label: 'Lens', isDefault: false },
      ];
      const problems = [HOSTILE];
      app.handlers.set('equipment', ({ args }) => {
        if (args['device'] === 'none such') throw new ClchatError('NO_DEVICE');
        return args['device'] === undefined ? { devices, problems } : { devices: [], problems: [] };
      });
      const listed = await run(call('settings', { name: 'camera' }), context());
      assert.equal(
        listed.text,
        'camera default\n  /dev/video0  bob  (the usual one)\n  /dev/video2  Lens\nbob',
      );
      await run(call('settings', { name: 'mic', value: 'hw:1' }), context());
      assert.deepEqual(
        app.calls.map(({ args }) => args),
        [{ kind: 'camera' }, { kind: 'microphone', device: 'hw:1' }],
      );
      assert.deepEqual(settings.devices, { mic: 'hw:1' });
      const refused = await run(
        call('settings', { name: 'camera', value: 'none such' }),
        context(),
      );
      assert.equal(!refused.ok && refused.code, 'NO_DEVICE');
      assert.deepEqual(settings.devices, { mic: 'hw:1' });
      const wrong = await run(call('settings', { name: 'bell', value: '/dev/video0' }), context());
      assert.equal(!wrong.ok && wrong.code, 'USAGE');
    });

    it('takes no switch for the name of a device, and says what is one', async () => {
      for (const [name, switches] of [
        ['camera', /"camera on"/],
        ['mic', /"mic off"/],
        ['speaker', /"none"/],
        ['screen', /"golive"/],
      ] as const)
        for (const value of ['on', 'off', ' On']) {
          const refused = await run(call('settings', { name, value }), context());
          assert.equal(!refused.ok && refused.code, 'USAGE');
          assert.match(refused.text, switches);
        }
      assert.deepEqual([app.calls, settings.devices], [[], {}]);
      app.handlers.set('equipment', () => ({ devices: [], problems: [] }));
      await run(call('settings', { name: 'camera', value: './on' }), context());
      assert.deepEqual(settings.devices, { camera: './on' });
    });

    it('shows and changes settings', async () => {
      assert.equal(
        await text(call('settings')),
        'colours on\nbell on\ntime on\nids off\nreceipts on\ntyping on\ncamera default\nmic default\nspeaker default\nscreen default',
      );
      settings.choose('mic', 'hw:1');
      const all = await run(call('settings'), context());
      assert.deepEqual(all.ok && all.data['settings'], {
        ...settings.all(),
        ...{ camera: 'default', mic: 'hw:1', speaker: 'default', screen: 'default' },
      });
      assert.equal(await text(call('settings', { name: 'bell', value: 'off' })), 'bell off');
      assert.equal(await text(call('settings', { name: 'bell' })), 'bell off');
      assert.equal(settings.get('bell'), false);
      assert.equal(await text(call('settings', { name: 'bell', value: 'on' })), 'bell on');
    });
  });
});

describe('outcomes', () => {
  it('are one line of JSON each, whatever is in them', () => {
    fc.assert(
      fc.property(fc.string(), fc.dictionary(fc.string(), fc.jsonValue()), (text, data) => {
        const outcome: Outcome = { ok: true, text: `a\n${text}`, data };
        const line = resultLine(7, outcome);
        assert.equal(line.indexOf('\n'), line.length - 1);
        const parsed = JSON.parse(line) as Record<string, unknown>;
        assert.deepEqual(
          [parsed['type'], parsed['line'], parsed['ok'], parsed['text']],
          ['result', 7, true, `a\n${text}`],
        );
        assert.equal(JSON.stringify(parsed['data']), JSON.stringify(data));
      }),
    );
    assert.equal(
      errorLine(new ClchatError('NETWORK', `no ${HOSTILE}`)),
      '{"type":"error","code":"NETWORK","text":"no bob"}\n',
    );
    assert.equal(
      errorLine(new Error('/home/alice')),
      '{"type":"error","code":"INTERNAL","text":"Something went wrong inside the program."}\n',
    );
  });

  it('stand for the exit status of their code', () => {
    assert.equal(statusOf({ ok: true, text: '', data: {} }), 0);
    for (const [code, status] of [
      ['DENIED', 1],
      ['INTERNAL', 1],
      ['USAGE', 2],
      ['BAD_PASSWORD', 3],
      ['NETWORK', 4],
      ['INTERRUPTED', 130],
    ] as const)
      assert.equal(statusOf({ ok: false, code, text: '' }), status, code);
  });
});
