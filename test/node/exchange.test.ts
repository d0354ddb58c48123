import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as v from 'valibot';
import { decode, encode } from '../../lib/crdt/codec.ts';
import { ClchatError, codeOf, textOf } from '../../lib/errors.ts';
import type { Channel } from '../../lib/node/channel.ts';
import {
  encodeNotice,
  Exchange,
  ServingBudget,
  type Handlers,
  type Protocol,
} from '../../lib/node/exchange.ts';
import { ended, eventually, openChannel, turns } from '../support/channels.ts';
import { mutated } from '../support/mutate.ts';

const PROTOCOL = {
  name: '/test/1',
  methods: {
    double: {
      request: v.strictObject({ n: v.number() }),
      reply: v.strictObject({ n: v.number() }),
    },
    wait: { request: v.strictObject({ ms: v.number() }), reply: v.strictObject({}) },
    fail: { request: v.strictObject({ code: v.string() }), reply: v.strictObject({}) },
    wrong: { request: v.strictObject({}), reply: v.strictObject({ n: v.number() }) },
  },
  notices: { news: v.strictObject({ text: v.pipe(v.string(), v.maxLength(10)) }) },
} as const satisfies Protocol;

type Test = Exchange<typeof PROTOCOL>;

describe('an exchange', () => {
  let near: Channel;
  let far: Channel;
  let client: Test;
  let faults: unknown[];
  let heard: string[];

  beforeEach(async () => {
    ({ near, far } = await openChannel());
    faults = [];
    heard = [];
  });
  afterEach(() => {
    near.abort(new ClchatError('CLOSED'));
    far.abort(new ClchatError('CLOSED'));
  });

  const serving = (): Handlers<typeof PROTOCOL> => ({
    onFault: (error) => faults.push(error),
    methods: {
      double: ({ n }) => ({ n: 2 * n }),
      wait: async ({ ms }) => {
        heard.push(`began ${ms}`);
        await new Promise((resolve) => setTimeout(resolve, ms));
        heard.push(`ended ${ms}`);
        return {};
      },
      fail: ({ code }) => {
        if (code === 'Error') throw new TypeError('a secret of the inside');
        if (code === 'INTERNAL') throw new ClchatError('INTERNAL', 'another secret');
        throw new ClchatError(code as 'DENIED', `because of ${code}`);
      },
      wrong: () => ({ n: 'not a number' }) as unknown as { n: number },
    },
    notices: { news: ({ text }) => void heard.push(text) },
  });
  const begin = (handlers = serving()): Test => {
    client = new Exchange(near, PROTOCOL, { methods: {}, notices: {} });
    return new Exchange(far, PROTOCOL, handlers);
  };

  it('answers requests', async () => {
    begin();
    assert.deepEqual(await client.call('double', { n: 21 }), { n: 42 });
    const many = Array.from({ length: 300 }, (_, n) => client.call('double', { n }));
    assert.deepEqual(
      (await Promise.all(many)).map(({ n }) => n),
      many.map((_, n) => 2 * n),
    );
  });

  it('asks in both directions over the one channel', async () => {
    const server = begin();
    client = undefined as unknown as Test;
    const { near: a, far: b } = await openChannel();
    const one = new Exchange(a, PROTOCOL, serving());
    const two = new Exchange(b, PROTOCOL, serving());
    const answers = await Promise.all([one.call('double', { n: 1 }), two.call('double', { n: 2 })]);
    assert.deepEqual(answers, [{ n: 2 }, { n: 4 }]);
    await one.close();
    assert.equal(server.ended, false);
  });

  it('begins to serve in the order of the requests, and answers each when it is done', async () => {
    begin();
    const done: number[] = [];
    await Promise.all(
      [30, 1, 15].map(async (ms) => {
        await client.call('wait', { ms });
        done.push(ms);
      }),
    );
    assert.deepEqual(heard.slice(0, 3), ['began 30', 'began 1', 'began 15']);
    assert.deepEqual(done, [1, 15, 30]);
  });

  it('gives back the code that a handler refused with, and its text', async () => {
    begin();
    const call = client.call('fail', { code: 'DENIED' });
    await assert.rejects(call, { code: 'DENIED', message: 'because of DENIED' });
    assert.deepEqual(faults, []);
  });

  it('tells nobody outside what went wrong inside, but the log', async () => {
    begin();
    for (const code of ['Error', 'INTERNAL'])
      await assert.rejects(client.call('fail', { code }), {
        code: 'INTERNAL',
        message: textOf('INTERNAL'),
      });
    assert.equal(faults.length, 2);
    assert.match(String(faults[0]), /a secret of the inside/);
    // The exchange goes on.
    assert.deepEqual(await client.call('double', { n: 1 }), { n: 2 });
  });

  it('refuses what is not served, malformed or of an unknown method', async () => {
    const { methods, ...rest } = serving();
    begin({ ...rest, methods: { double: methods.double! } });
    await assert.rejects(client.call('wait', { ms: 1 }), { code: 'NOT_SUPPORTED' });
    const wrong = { n: 'x' } as unknown as { n: number };
    await assert.rejects(client.call('double', wrong), { code: 'BAD_MESSAGE' });
    const extra = { n: 1, more: 2 } as { n: number };
    await assert.rejects(client.call('double', extra), { code: 'BAD_MESSAGE' });
    for (const method of ['nothing', '__proto__', 'constructor', 'toString', ''])
      await assert.rejects(client.call(method as 'double', { n: 1 }), { code: 'NOT_SUPPORTED' });
    assert.deepEqual(await client.call('double', { n: 1 }), { n: 2 });
  });

  it('does not take an answer that does not fit', async () => {
    begin();
    await assert.rejects(client.call('wrong', {}), { code: 'BAD_MESSAGE' });
    assert.equal(client.ended, false);
  });

  it('bounds the text of a refusal, and knows no codes but its own', async () => {
    client = new Exchange(near, PROTOCOL, { methods: {}, notices: {} });
    far.onFrame((frame) => {
      const [, id] = decode(frame) as [number, number];
      far.send(encode([2, id, 'NO_SUCH_CODE', 'x'.repeat(100_000)]));
    });
    await assert.rejects(client.call('double', { n: 1 }), (error: Error) => {
      assert.equal(codeOf(error), 'INTERNAL');
      assert.equal(error.message.length, 300);
      return true;
    });
  });

  it('waits for an answer no longer than it is told to, and takes none that comes later', async () => {
    begin();
    const began = performance.now();
    await assert.rejects(client.call('wait', { ms: 120 }, 30), { code: 'TIMEOUT' });
    assert.ok(performance.now() - began < 110);
    await eventually('the answer', () => heard.length === 2);
    assert.deepEqual(heard, ['began 120', 'ended 120']);
    assert.deepEqual(await client.call('double', { n: 1 }), { n: 2 });
  });

  it('fails what is under way when the channel ends, and all that comes after', async () => {
    const server = begin();
    const calls = [1, 2, 3].map(() => client.call('wait', { ms: 10_000 }));
    const told: unknown[] = [];
    client.onEnd((error) => told.push(error));
    await turns();
    server.abort(new ClchatError('DENIED'));
    for (const call of calls) await assert.rejects(call, { code: 'CLOSED' });
    assert.equal(told.length, 1);
    assert.ok(client.ended);
    await assert.rejects(client.call('double', { n: 1 }), { code: 'CLOSED' });
    client.notify('news', { text: 'x' });
    client.notifyEncoded(encode([3, 'news', { text: 'x' }]));
    // Told at once to those who ask later.
    client.onEnd((error) => told.push(error));
    assert.equal(told.length, 2);
  });

  it('answers nobody who has gone', async () => {
    begin();
    void client.call('wait', { ms: 20 }).catch(() => undefined);
    await turns();
    near.abort(new ClchatError('CLOSED'));
    await eventually('the answer', () => heard.length === 2);
    assert.deepEqual(heard, ['began 20', 'ended 20']);
    assert.deepEqual(faults, []);
  });

  it('tells notices in order, one at a time', async () => {
    const running: number[] = [];
    let count = 0;
    begin({
      methods: {},
      notices: {
        news: async ({ text }) => {
          running.push(++count);
          await new Promise((resolve) => setTimeout(resolve, text === 'slow' ? 20 : 0));
          count--;
          heard.push(text);
        },
      },
    });
    for (const text of ['slow', 'a', 'b']) client.notify('news', { text });
    client.notifyEncoded(encodeNotice(PROTOCOL, 'news', { text: 'c' }));
    await eventually('all are told', () => heard.length === 4);
    assert.deepEqual(heard, ['slow', 'a', 'b', 'c']);
    assert.deepEqual(running, [1, 1, 1, 1]);
  });

  it('passes over notices that it does not know, and ends at those that do not fit', async () => {
    const server = begin();
    near.send(encode([3, 'tomorrow', { anything: [1, 2, 3] }]));
    near.send(encode([3, '__proto__', {}]));
    assert.deepEqual(await client.call('double', { n: 1 }), { n: 2 });
    near.send(encode([3, 'news', { text: 'far longer than it may be' }]));
    assert.equal(codeOf(await ended(far)), 'BAD_MESSAGE');
    assert.ok(server.ended);
    assert.deepEqual(heard, []);
  });

  it('ends when a handler of notices fails, and says so in the log only', async () => {
    begin({
      onFault: (error) => faults.push(error),
      methods: {},
      notices: {
        news: () => {
          throw new TypeError('a secret of the inside');
        },
      },
    });
    const end = ended(far);
    client.notify('news', { text: 'x' });
    assert.equal(codeOf(await end), 'INTERNAL');
    assert.match(String(faults[0]), /a secret of the inside/);
  });

  it('serves a bounded number of requests at once', async () => {
    begin();
    const calls = Array.from({ length: 520 }, () => client.call('wait', { ms: 40 }));
    const results = await Promise.allSettled(calls);
    const refused = results.filter((result) => result.status === 'rejected');
    assert.equal(refused.length, 8);
    for (const { reason } of refused) assert.equal(codeOf(reason), 'RATE_LIMITED');
    assert.deepEqual(await client.call('double', { n: 1 }), { n: 2 });
  });

  it('reads no further while it serves requests of many bytes, over all that share a bound', async () => {
    const server = await openChannel();
    const budget = new ServingBudget(50_000);
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    for (const channel of [far, server.far])
      new Exchange(channel, PROTOCOL, {
        budget,
        methods: {
          fail: () => held.then(() => ({})),
          double: ({ n }) => ({ n }),
        },
        notices: {},
      });
    client = new Exchange(near, PROTOCOL, { methods: {}, notices: {} });
    const other = new Exchange(server.near, PROTOCOL, { methods: {}, notices: {} });
    const calls = Array.from({ length: 40 }, () =>
      client.call('fail', { code: 'x'.repeat(10_000) }),
    );
    await turns(20);
    assert.ok(budget.bytes > 50_000 && budget.bytes < 65_000, `${budget.bytes} bytes`);
    // The other is read until something is served there too, and then waits as well.
    const first = await other.call('double', { n: 1 });
    const second = other.call('double', { n: 2 }).then(() => 'answered');
    const outcome = turns(20).then(() => 'waits');
    assert.deepEqual([first, await Promise.race([second, outcome])], [{ n: 1 }, 'waits']);
    release();
    await Promise.all([...calls, second, budget.idle()]);
    server.near.abort(new ClchatError('CLOSED'));
  });

  it('asks a bounded number of questions at once', async () => {
    client = new Exchange(near, PROTOCOL, { methods: {}, notices: {} });
    far.onFrame(() => undefined);
    const calls = Array.from({ length: 4_096 }, (_, n) => client.call('double', { n }, 100));
    await assert.rejects(client.call('double', { n: 0 }), { code: 'RATE_LIMITED' });
    for (const result of await Promise.allSettled(calls)) assert.equal(result.status, 'rejected');
    far.abort(new ClchatError('CLOSED'));
  });

  it('cuts off who asks and does not read the answers', async function () {
    this.timeout(20_000);
    const large = 'x'.repeat(200_000);
    const blob = {
      name: '/blob/1',
      methods: {
        get: { request: v.strictObject({}), reply: v.strictObject({ text: v.string() }) },
      },
      notices: {},
    } as const satisfies Protocol;
    const server = new Exchange(far, blob, {
      methods: { get: () => ({ text: large }) },
      notices: {},
    });
    near.onFrame(() => new Promise(() => undefined));
    for (let id = 0; id < 100; id++) near.send(encode([0, id, 'get', {}]));
    assert.equal(codeOf(await ended(far)), 'RATE_LIMITED');
    assert.ok(server.ended);
    assert.equal(far.queued, 0);
  });

  describe('whatever the other side sends', () => {
    const valid = [
      [0, 1, 'double', { n: 4 }],
      [0, 2, 'wait', { ms: 0 }],
      [0, 3, 'fail', { code: 'DENIED' }],
      [1, 1, { n: 8 }],
      [2, 1, 'DENIED', 'no'],
      [3, 'news', { text: 'x' }],
    ].map(encode);
    const number = fc.oneof(fc.integer({ min: -1, max: 5 }), fc.maxSafeInteger(), fc.constant(0.5));
    const text = fc.constantFrom('double', 'news', '', '__proto__', 'DENIED', 'x'.repeat(1_000));
    const payload = fc.oneof(
      fc.constantFrom<unknown[]>({}, null, [], { n: 1 }, { text: 'x' }, true, 7, 'x'),
      fc.integer({ min: 1, max: 100_000 }).map((length) => Array<number>(length).fill(0)),
    );
    const frame = fc.oneof(
      { weight: 2, arbitrary: mutated(valid) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) },
      {
        weight: 3,
        arbitrary: fc
          .array(fc.oneof(number, text, payload), { maxLength: 5 })
          .map((message) => encode(message)),
      },
    );

    it('refuses it, ignores it or ends, with a code and nothing else', async function () {
      this.timeout(20_000);
      const unhandled: unknown[] = [];
      const note = (error: unknown): unknown => unhandled.push(error);
      process.on('unhandledRejection', note);
      const codes = new Set<string>();
      await fc.assert(
        fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 6 }), async (frames) => {
          const { near: a, far: b } = await openChannel();
          const exchange = new Exchange(b, PROTOCOL, serving());
          // One question of its own is under way, so that answers may be for it.
          const asked = exchange.call('double', { n: 4 }, 200).then(
            () => 'answered',
            (error: unknown) => codeOf(error),
          );
          let end: Error | undefined;
          b.onEnd((error) => (end = error ?? new ClchatError('CLOSED')));
          const answers: unknown[][] = [];
          a.onFrame((answer) => void answers.push(decode(answer) as unknown[]));
          for (const bytes of frames) a.send(bytes);
          await turns(8);
          if (end === undefined) {
            // It still serves.
            a.send(encode([0, 77, 'double', { n: 1 }]));
            await turns(8);
            assert.ok(answers.some(([type, id]) => type === 1 && id === 77));
          } else codes.add(codeOf(end));
          for (const [type, , code] of answers) if (type === 2) codes.add(String(code));
          a.abort(new ClchatError('CLOSED'));
          codes.add(await asked);
        }),
        { numRuns: 120 },
      );
      await turns();
      process.off('unhandledRejection', note);
      assert.deepEqual(unhandled, []);
      for (const code of codes)
        assert.ok(
          [
            'BAD_MESSAGE',
            'NOT_SUPPORTED',
            'DENIED',
            'CLOSED',
            'answered',
            'TIMEOUT',
            'INTERNAL',
          ].includes(code),
          code,
        );
      assert.deepEqual(
        faults.filter((fault) => !(fault instanceof ClchatError)),
        [],
      );
    });
  });
});
