import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasCode, type ErrorCode } from '../../lib/errors.ts';
import { deadline, systemClock } from '../../lib/lifecycle.ts';
import {
  decodeNatPmp,
  encodeNatPmp,
  isAbout,
  NatPmpClient,
  type NatPmpAnswer,
} from '../../lib/nat/nat-pmp.ts';
import { FakePmp, FakeUdp } from './fake-pmp.ts';

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');
const request = {
  transport: 'tcp',
  internalPort: 4_000,
  externalPort: 5_000,
  lifetime: 7_200,
} as const;
const port = fc.integer({ min: 0, max: 65_535 });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });

describe('the datagrams of NAT-PMP', () => {
  it('are those of RFC 6886', () => {
    // 3.2: a question for the public address, and its answer.
    assert.deepEqual(Buffer.from(encodeNatPmp({ kind: 'address' })), hex('00 00'));
    assert.deepEqual(decodeNatPmp(hex('00 80 0000 00012345 0b000002')), {
      kind: 'address',
      address: '11.0.0.2',
      epoch: 0x12345,
    });
    // 3.3: mapping TCP port 4000 to 5000 for two hours, and its answer; UDP has another number.
    const question = { kind: 'map', ...request } as const;
    assert.deepEqual(Buffer.from(encodeNatPmp(question)), hex('00 02 0000 0fa0 1388 00001c20'));
    const udp = encodeNatPmp({ ...question, transport: 'udp' });
    assert.deepEqual(Buffer.from(udp), hex('00 01 0000 0fa0 1388 00001c20'));
    const answer = decodeNatPmp(hex('00 82 0000 00000007 0fa0 1389 00000e10'));
    const granted = { ...request, externalPort: 5_001, lifetime: 3_600 };
    assert.deepEqual(answer, { kind: 'map', epoch: 7, ...granted });
    // 3.5: failures, also shorter than what they answer.
    const failures: [bytes: string, to: string, result: number][] = [
      ['00 80 0003 00000009 00000000', 'address', 3],
      ['00 82 0002 00000009 0fa0 1388 00000000', 'map', 2],
      ['00 81 0004 00000009', 'map', 4],
    ];
    for (const [bytes, to, result] of failures)
      assert.deepEqual(decodeNatPmp(hex(bytes)), { kind: 'failure', to, result, epoch: 9 });
  });

  it('are no answers where they are too short, of another kind or version', () => {
    const wrong = ['', '00', '00 80', '00 80 0000 000000', '00 80 0000 00000001 0b0000'];
    wrong.push('00 82 0000 00000007 0fa0 1389 000000', '00 02 0000 0fa0 1388 00001c20');
    wrong.push(
      '02 80 0000 00000001 0b000002',
      '00 83 0000 00000001 0b000002',
      '00 00 0000 00000001',
    );
    for (const bytes of wrong) assert.equal(decodeNatPmp(hex(bytes)), undefined, bytes);
  });

  it('mean what was asked, whatever it was', () => {
    const gateway = new FakePmp();
    fc.assert(
      fc.property(
        fc.constantFrom('tcp' as const, 'udp' as const),
        port,
        port,
        fc.integer({ min: 1, max: 0xffff_ffff }),
        uint32,
        (transport, internalPort, externalPort, lifetime, epoch) => {
          gateway.entries.length = 0;
          gateway.epoch = epoch;
          const asked = { kind: 'map', transport, internalPort, externalPort, lifetime } as const;
          const [answer] = gateway.answer(Buffer.from(encodeNatPmp(asked)));
          assert.deepEqual(decodeNatPmp(answer!), { ...asked, epoch });
        },
      ),
    );
  });

  it('can be anything and do no harm', () => {
    const near = fc
      .tuple(fc.constantFrom(128, 129, 130, 255), fc.uint8Array({ maxLength: 20 }))
      .map(([opcode, rest]) => Uint8Array.of(0, opcode, ...rest));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 1_200 }), near), (bytes) => {
        const answer: NatPmpAnswer | undefined = decodeNatPmp(bytes);
        if (answer?.kind === 'map') assert.ok(answer.externalPort <= 65_535);
      }),
    );
  });

  it('are about one mapping, and either make or remove it', () => {
    assert(isAbout({ ...request, externalPort: 1, lifetime: 5 }, request));
    assert(!isAbout({ ...request, internalPort: 1 }, request));
    assert(!isAbout({ ...request, transport: 'udp' }, request));
    assert(!isAbout({ ...request, lifetime: 0 }, request));
    assert(isAbout({ ...request, lifetime: 0 }, { ...request, lifetime: 0 }));
  });
});

describe('a gateway by NAT-PMP', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  const soon = (): AbortSignal => deadline(2_000);

  async function open(answer: (bytes: Buffer) => readonly Uint8Array[], clock = systemClock) {
    const server = await FakeUdp.open(answer);
    const place = { gateway: '127.0.0.1', own: '127.0.0.1', port: server.port };
    const client = await NatPmpClient.open({ ...place, clock });
    closing.push(
      () => client.close(),
      () => server.close(),
    );
    return { server, client };
  }

  it('maps ports, shows them and removes them', async () => {
    const gateway = new FakePmp();
    const { client } = await open(gateway.answer);
    assert.equal(client.protocol, 'nat-pmp');
    assert.equal(client.gateway, '127.0.0.1');
    assert.equal(await client.isSpoken(soon()), true);
    assert.equal(await client.externalAddress(soon()), '11.0.0.2');
    assert.equal(await client.isThere(request, soon()), false);
    const granted = await client.map(request, soon());
    assert.deepEqual(granted, { externalPort: 5_000, lifetime: 7_200 });
    assert.equal(await client.isThere(request, soon()), true);
    assert.equal(gateway.entries.length, 1);
    await client.unmap(request, soon());
    assert.deepEqual(gateway.entries, []);
    assert.equal(await client.isThere(request, soon()), false);
    await client.unmap(request, soon());
  });

  it('may grant another port', async () => {
    const gateway = new FakePmp();
    gateway.taken.add(5_000).add(5_001);
    const { client } = await open(gateway.answer);
    const { externalPort } = await client.map(request, soon());
    assert.equal(externalPort, 5_002);
    assert.equal(await client.isThere(request, soon()), false);
    assert.equal(await client.isThere({ ...request, externalPort }, soon()), true);
  });

  it('is asked again when a datagram is lost', async () => {
    const gateway = new FakePmp();
    let asked = 0;
    const { client } = await open((bytes) => (++asked % 2 === 1 ? [] : gateway.answer(bytes)));
    assert.equal(await client.externalAddress(soon()), '11.0.0.2');
    assert.equal((await client.map(request, soon())).externalPort, 5_000);
    assert.equal(asked, 4);
  });

  it('has forgotten all after a restart', async () => {
    const gateway = new FakePmp();
    const { client } = await open(gateway.answer);
    await client.map(request, soon());
    gateway.epoch = 3;
    assert.equal(await client.isThere(request, soon()), false);
    await client.map(request, soon());
    assert.equal(await client.isThere(request, soon()), true);
  });

  it('says why it does not', async () => {
    const gateway = new FakePmp();
    const { client } = await open(gateway.answer);
    const codes: [number, ErrorCode][] = [
      [1, 'MAPPING_REFUSED'],
      [2, 'MAPPING_REFUSED'],
      [3, 'CARRIER_NAT'],
      [4, 'PORT_EXHAUSTED'],
      [5, 'MAPPING_REFUSED'],
      [999, 'MAPPING_REFUSED'],
    ];
    for (const [result, code] of codes) {
      gateway.natPmpResult = result;
      const fails = (error: unknown): boolean => hasCode(error, code);
      await assert.rejects(client.map(request, soon()), fails, `${result}`);
      await assert.rejects(client.externalAddress(soon()), fails, `${result}`);
      await assert.rejects(client.unmap(request, soon()), fails, `${result}`);
      assert.equal(await client.isSpoken(soon()), result !== 1);
    }
    gateway.natPmpResult = 0;
    gateway.address = '0.0.0.0';
    await assert.rejects(client.externalAddress(soon()), (error) => hasCode(error, 'CARRIER_NAT'));
  });

  it('is not believed when it grants nothing', async () => {
    const answer = hex('00 82 0000 00000007 0fa0 0000 00000e10');
    const { client } = await open(() => [answer]);
    const mapping = client.map(request, soon());
    await assert.rejects(mapping, (error) => hasCode(error, 'BAD_MESSAGE'));
  });

  it('is not answered for by what belongs to other questions', async () => {
    const { client } = await open(() => [
      hex('00 82 0000 00000007 0fa1 1388 00000e10'),
      hex('00 81 0000 00000007 0fa0 1388 00000e10'),
      hex('00 82 0000 00000007 0fa0 0000 00000000'),
      hex('00 80 0000 00000007 0b000002'),
      hex('00 80 0002 00000007'),
      hex('ff'),
    ]);
    const mapping = client.map(request, deadline(100));
    await assert.rejects(mapping, (error) => hasCode(error, 'TIMEOUT'));
  });

  it('fails when it is silent', async () => {
    const { client } = await open(() => []);
    for (const ask of [client.externalAddress(deadline(30)), client.isThere(request, deadline(30))])
      await assert.rejects(ask, (error) => hasCode(error, 'TIMEOUT'));
  });
});
