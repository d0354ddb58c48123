import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { hasCode, type ErrorCode } from '../../lib/errors.ts';
import { deadline, until } from '../../lib/lifecycle.ts';
import { askByHttp, callAction, decodeResult, encodeAction } from '../../lib/nat/soap.ts';
import { parseXml } from '../../lib/nat/xml.ts';
import { FakeIgd, soapFault } from './fake-igd.ts';

const own = '127.0.0.1';
const TYPE = 'urn:schemas-upnp-org:service:WANIPConnection:1';

describe('HTTP to a gateway', () => {
  let igd: FakeIgd;
  beforeEach(async () => {
    igd = await FakeIgd.open();
  });
  afterEach(() => igd.close());

  const ask = (signal = deadline(3_000), path = '/x?y=1') =>
    askByHttp(new URL(`${igd.origin}${path}`), { own, signal });
  const answering = (run: (response: ServerResponse, request: IncomingMessage) => void): void => {
    igd.override = (request, response) => {
      run(response, request);
      return true;
    };
  };
  const failsWith = async (code: ErrorCode, signal?: AbortSignal): Promise<void> => {
    await assert.rejects(ask(signal), (error) => hasCode(error, code));
    // Nothing goes on behind it.
    assert.ok(await until(3_000, () => igd.connections === 0));
  };

  it('gets an answer, and keeps no connection', async () => {
    answering((response, request) => {
      assert.equal(request.headers.connection, 'close');
      response.setHeader('Connection', 'keep-alive');
      response.end('so');
    });
    assert.deepEqual(await ask(), { status: 200, text: 'so' });
    assert.deepEqual(igd.paths, ['/x?y=1']);
    assert.ok(await until(3_000, () => igd.connections === 0));
  });

  it('follows no redirect', async () => {
    answering((response) => {
      response.writeHead(302, { Location: `${igd.origin}/again` });
      response.end();
    });
    assert.equal((await ask()).status, 302);
    assert.deepEqual(igd.paths, ['/x?y=1']);
  });

  it('reads no endless body, whatever is said of its length', async () => {
    answering((response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16 * 1024)));
      };
      response.on('drain', more);
      more();
    });
    const never = new AbortController().signal;
    await failsWith('BAD_MESSAGE', never);
    answering((response) => {
      response.setHeader('Content-Length', 100 * 1024 * 1024);
      response.write('x'.repeat(65 * 1024));
    });
    await failsWith('BAD_MESSAGE', never);
  });

  it('waits no longer than it may, before an answer and within', async () => {
    answering(() => undefined);
    await failsWith('TIMEOUT', deadline(100));
    let drip: NodeJS.Timeout | undefined;
    answering((response) => {
      drip = setInterval(() => response.write('.'), 10);
    });
    await failsWith('TIMEOUT', deadline(100));
    clearInterval(drip);
    await assert.rejects(ask(AbortSignal.abort(new Error('enough'))), /enough/);
  });

  it('fails when the answer breaks off, or nobody is there', async () => {
    answering((response) => response.destroy());
    await failsWith('TIMEOUT');
    answering((response) => {
      response.setHeader('Content-Length', 10);
      response.write('half', () => response.destroy());
    });
    await failsWith('TIMEOUT');
    const { origin } = igd;
    await igd.close();
    const late = askByHttp(new URL(origin), { own, signal: deadline(3_000) });
    await assert.rejects(late, (error) => hasCode(error, 'TIMEOUT'));
    igd = await FakeIgd.open();
  });

  it('goes out from the card that it is told', async () => {
    const wrong = askByHttp(new URL(igd.origin), { own: '192.0.2.1', signal: deadline(3_000) });
    await assert.rejects(wrong, (error) => hasCode(error, 'TIMEOUT'));
    assert.deepEqual(igd.paths, []);
  });
});

describe('what is no HTTP', () => {
  let server: Server;
  let says = '';
  beforeEach(async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(says);
    });
    server.listen(0, own);
    await once(server, 'listening');
  });
  afterEach(() => server.close());

  it('is a bad message, and so are headers without end', async () => {
    const url = new URL(`http://${own}:${(server.address() as AddressInfo).port}/`);
    const header = `X: ${'y'.repeat(1_000)}\r\n`;
    for (says of ['garbage\r\n\r\n', `HTTP/1.1 200 OK\r\n${header.repeat(20)}\r\n`, '\0\0\0\0'])
      await assert.rejects(askByHttp(url, { own, signal: deadline(3_000) }), (error) =>
        hasCode(error, 'BAD_MESSAGE'),
      );
  });
});

describe('actions of a service', () => {
  it('are written as SOAP has it', () => {
    const text = encodeAction(TYPE, 'AddPortMapping', { NewExternalPort: 5, NewX: `<&>'"` });
    assert.match(text, /^<\?xml version="1\.0"\?>\r\n<s:Envelope /);
    assert.ok(
      text.includes(`<u:AddPortMapping xmlns:u="${TYPE}"><NewExternalPort>5</NewExternalPort>`),
    );
    const sent = parseXml(text).at('Envelope', 'Body', 'AddPortMapping');
    assert.equal(sent?.at('NewX')?.text, `<&>'"`);
  });

  it('are called, and answered by values or faults', async () => {
    const igd = await FakeIgd.open();
    try {
      const service = { type: TYPE, controlUrl: new URL('/control', igd.origin) };
      const call = (action: string) =>
        callAction(service, action, {}, { own, signal: deadline(3_000) });
      const { values } = await call('GetExternalIPAddress');
      assert.equal(values?.at('NewExternalIPAddress')?.text, '11.0.0.2');
      assert.deepEqual(await call('Nonsense'), { fault: 401 });
      igd.faults.set('GetExternalIPAddress', 501);
      assert.deepEqual(await call('GetExternalIPAddress'), { fault: 501 });
    } finally {
      await igd.close();
    }
  });

  it('are answered by faults with any status', () => {
    for (const status of [200, 500])
      assert.deepEqual(decodeResult('A', { status, text: soapFault(718) }), { fault: 718 });
  });

  it('are not answered by anything else', () => {
    const envelope = (body: string): string => `<Envelope><Body>${body}</Body></Envelope>`;
    const wrong: [status: number, text: string][] = [
      [200, ''],
      [200, envelope('<BResponse/>')],
      [200, '<AResponse/>'],
      [500, envelope('<AResponse/>')],
      [500, soapFault(718).replace('718', 'x')],
      [500, soapFault(718).replace('718', '7'.repeat(20))],
      [404, envelope('<AResponse/>')],
      [302, envelope('<AResponse/>')],
      [200, `<!DOCTYPE x>${envelope('<AResponse/>')}`],
    ];
    const isBad = (error: unknown): boolean => hasCode(error, 'BAD_MESSAGE');
    for (const [status, text] of wrong)
      assert.throws(() => decodeResult('A', { status, text }), isBad, `${status} ${text}`);
    assert.ok(decodeResult('A', { status: 200, text: envelope('<AResponse/>') }).values);
    fc.assert(
      fc.property(fc.constantFrom(200, 500), fc.string(), (status, text) => {
        assert.throws(() => decodeResult('A', { status, text }), isBad);
      }),
    );
  });
});
