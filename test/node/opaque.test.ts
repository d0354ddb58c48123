import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { SigningKey, type PublicKey } from '../../lib/crdt/keys.ts';
import { hasCode } from '../../lib/errors.ts';
import { sleep } from '../../lib/lifecycle.ts';
import { Opaque, type OpaqueServer } from '../../lib/node/opaque.ts';

const key = (fill: number): PublicKey => new SigningKey(new Uint8Array(32).fill(fill)).public;
const PASSWORD = 'correct horse battery';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function ended(pid: number): Promise<void> {
  for (let i = 0; i < 100 && isAlive(pid); i += 1) await sleep(50);
  assert.equal(isAlive(pid), false);
}

describe('opaque', () => {
  const opaque = new Opaque();
  const server = key(1);
  let setup: Uint8Array;
  let keeper: OpaqueServer;
  let record: Uint8Array;
  let exportKey: Uint8Array;

  const register = async (password: string, user: string, to: OpaqueServer, at: PublicKey) => {
    const { request, state } = await opaque.registerStart({ password });
    const response = await to.registerResponse({ user, request });
    return opaque.registerFinish({ password, state, response, server: at });
  };
  /** What the client learns, and what the server does. */
  const login = async (
    password: string,
    known: Uint8Array | undefined,
    { user = 'alice', to = keeper, at = server } = {},
  ) => {
    const { request, state } = await opaque.loginStart({ password });
    const answer = await to.loginResponse({ user, record: known, request });
    const proved = await opaque.loginFinish({
      password,
      state,
      response: answer.response,
      server: at,
    });
    if (proved === undefined) return undefined;
    const verified = await to.loginVerify({ state: answer.state, finish: proved.finish });
    return { ...proved, verified, answer };
  };

  before(async () => {
    setup = await opaque.createSetup();
    keeper = opaque.server({ setup, key: server });
    ({ record, exportKey } = await register(PASSWORD, 'alice', keeper, server));
  });
  after(() => opaque.close());

  it('logs in with the right password: both sides have one key, the client its export key', async () => {
    const result = await login(PASSWORD, record);
    assert.ok(result?.verified);
    assert.deepEqual(result.sessionKey, result.verified);
    assert.deepEqual(result.exportKey, exportKey);
    assert.equal(result.exportKey.length, 64);
    const again = await login(PASSWORD, record);
    assert.deepEqual(again?.exportKey, exportKey);
    assert.notDeepEqual(again?.sessionKey, result.sessionKey);
  });

  it('takes the same letters, however they were typed', async () => {
    const typed = await register('Zoë', 'zoe', keeper, server);
    assert.ok((await login('Zoë'.normalize('NFD'), typed.record, { user: 'zoe' }))?.verified);
  });

  it('shows the client that a password is wrong, and the server nothing', async () => {
    assert.equal(await login('wrong', record), undefined);
  });

  it('answers for a user that there is not as for one there is', async () => {
    const { request } = await opaque.loginStart({ password: PASSWORD });
    const [real, none] = await Promise.all([
      keeper.loginResponse({ user: 'alice', record, request }),
      keeper.loginResponse({ user: 'nobody', record: undefined, request }),
    ]);
    assert.equal(real.response.length, none.response.length);
    assert.equal(await login(PASSWORD, undefined, { user: 'nobody' }), undefined);
  });

  it('binds a record to the user, the server and its setup', async () => {
    assert.equal(await login(PASSWORD, record, { user: 'bob' }), undefined);
    assert.equal(await login(PASSWORD, record, { at: key(2) }), undefined);
    const sameSetup = opaque.server({ setup, key: key(2) });
    assert.equal(await login(PASSWORD, record, { to: sameSetup }), undefined);
    const other = opaque.server({ setup: await opaque.createSetup(), key: server });
    assert.equal(await login(PASSWORD, record, { to: other }), undefined);
  });

  it('verifies a proof in its own attempt only', async () => {
    const [one, other] = [await login(PASSWORD, record), await login(PASSWORD, record)];
    assert.ok(one && other);
    const { state } = one.answer;
    assert.equal(await keeper.loginVerify({ state, finish: other.finish }), undefined);
    const flipped = Uint8Array.from(one.finish);
    flipped[0] = (flipped[0] ?? 0) ^ 1;
    assert.equal(await keeper.loginVerify({ state, finish: flipped }), undefined);
    assert.ok(await keeper.loginVerify({ state, finish: one.finish }));
  });

  it('refuses malformed messages, and lives on', async () => {
    const { pid } = opaque;
    const bad = { code: 'BAD_MESSAGE' };
    const message = fc.uint8Array({ maxLength: 330 });
    const { request, state } = await opaque.loginStart({ password: PASSWORD });
    const { response } = await keeper.loginResponse({ user: 'alice', record, request });
    const registering = await opaque.registerStart({ password: PASSWORD });
    await fc.assert(
      fc.asyncProperty(message, async (any) => {
        await assert.rejects(keeper.registerResponse({ user: 'alice', request: any }), bad);
        await assert.rejects(keeper.loginResponse({ user: 'alice', record, request: any }), bad);
        await assert.rejects(keeper.loginResponse({ user: 'a', record: any, request }), bad);
        assert.equal(
          await keeper.loginVerify({ state: any, finish: any }).catch(() => undefined),
          undefined,
        );
        const wrong = { password: PASSWORD, response: any, server };
        await assert.rejects(opaque.registerFinish({ ...wrong, state: registering.state }), bad);
        await assert.rejects(opaque.loginFinish({ ...wrong, state }), bad);
      }),
      { numRuns: 60 },
    );
    // As long as a real answer, and altered: may cost a stretching, so only a few.
    await fc.assert(
      fc.asyncProperty(fc.nat(response.length - 1), async (at) => {
        const altered = Uint8Array.from(response);
        altered[at] = (altered[at] ?? 0) ^ 0x10;
        const call = { password: PASSWORD, state, response: altered, server };
        try {
          assert.equal(await opaque.loginFinish(call), undefined);
        } catch (error) {
          assert.ok(hasCode(error, 'BAD_MESSAGE'));
        }
      }),
      { numRuns: 5 },
    );
    const long = new Uint8Array(2049);
    await assert.rejects(keeper.registerResponse({ user: 'alice', request: long }), bad);
    assert.equal(opaque.pid, pid);
  }).timeout(30_000);

  it('bounds what it takes', async () => {
    const long = 'x'.repeat(1025);
    await assert.rejects(opaque.loginStart({ password: long }), { code: 'TOO_LARGE' });
    const { request } = await opaque.registerStart({ password: 'x'.repeat(1024) });
    await assert.rejects(keeper.registerResponse({ user: 'u'.repeat(257), request }), {
      code: 'BAD_MESSAGE',
    });
  });

  it('serves many at once', async () => {
    const starts = await Promise.all(
      Array.from({ length: 200 }, (_, i) => opaque.loginStart({ password: `password ${i}` })),
    );
    const answers = await Promise.all(
      starts.map(({ request }) => keeper.loginResponse({ user: 'alice', record, request })),
    );
    assert.equal(answers.length, 200);
  });

  describe('helper process', () => {
    const own: Opaque[] = [];
    const make = (options = {}): Opaque => {
      const made = new Opaque(options);
      own.push(made);
      return made;
    };
    afterEach(() => own.splice(0).forEach((one) => one.close()));
    const pidOf = (one: Opaque): number => {
      assert.ok(one.pid !== undefined);
      return one.pid;
    };

    it('has no secret in its arguments and environment', async function () {
      if (!existsSync('/proc/self/environ')) this.skip();
      process.env['CLCHAT_PASSWORD'] = 'hunter2';
      try {
        const one = make();
        await one.loginStart({ password: 'hunter2' });
        for (const file of ['environ', 'cmdline'])
          assert.equal(
            readFileSync(`/proc/${pidOf(one)}/${file}`, 'latin1').includes('hunter'),
            false,
          );
      } finally {
        delete process.env['CLCHAT_PASSWORD'];
      }
    });

    it('starts at first use, ends when idle, and starts again', async () => {
      const one = make({ idleMs: 50 });
      assert.equal(one.pid, undefined);
      await one.loginStart({ password: 'x' });
      const first = pidOf(one);
      await ended(first);
      assert.equal(one.pid, undefined);
      await one.loginStart({ password: 'x' });
      assert.notEqual(pidOf(one), first);
    });

    it('is there already when it was warmed', async () => {
      const one = make();
      one.warm();
      const pid = pidOf(one);
      await one.loginStart({ password: 'x' });
      assert.equal(one.pid, pid);
    });

    it('may die in the middle: the call fails, the next one works', async () => {
      const one = make();
      await one.loginStart({ password: 'x' });
      const pid = pidOf(one);
      // Stopped, so that it cannot have answered before it is killed.
      process.kill(pid, 'SIGSTOP');
      const call = one.createSetup();
      process.kill(pid, 'SIGKILL');
      await assert.rejects(call, { code: 'INTERNAL' });
      assert.equal((await one.createSetup()).length, 128);
    });

    it('is given up when it does not answer', async () => {
      const one = make({ callMs: 1_000 });
      await one.loginStart({ password: 'x' });
      const pid = pidOf(one);
      process.kill(pid, 'SIGSTOP');
      const late = await Promise.allSettled([one.createSetup(), one.createSetup()]);
      for (const call of late)
        assert.equal(call.status === 'rejected' && hasCode(call.reason, 'TIMEOUT'), true);
      await ended(pid);
    });

    it('ends when it is closed, and takes nothing more', async () => {
      const one = make();
      await one.loginStart({ password: 'x' });
      const pid = pidOf(one);
      const call = one.createSetup();
      one.close();
      await assert.rejects(call, { code: 'CLOSED' });
      await assert.rejects(one.createSetup(), { code: 'CLOSED' });
      await ended(pid);
    });

    it('ends with its parent, even one that is killed', async () => {
      const parent = spawn(process.execPath, ['--import', 'tsx', 'test/support/opaque-parent.ts'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [output] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(output.toString());
      assert.ok(isAlive(pid));
      parent.kill('SIGKILL');
      await ended(pid);
    });

    it('does not keep the program from ending', async () => {
      const program = `
        const { Opaque } = await import('./lib/node/opaque.ts');
        const { request } = await new Opaque().loginStart({ password: 'x' });
        process.stdout.write(String(request.length));`;
      const began = performance.now();
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', '--input-type=module', '-e', program],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      const [[output], [status]] = (await Promise.all([
        once(child.stdout, 'data'),
        once(child, 'exit'),
      ])) as [[Buffer], [number]];
      assert.equal(output.toString(), '96');
      assert.equal(status, 0);
      assert.ok(performance.now() - began < 8_000);
    });
  });
});
