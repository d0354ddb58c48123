import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasCode, type ErrorCode } from '../../lib/errors.ts';
import { deadline, systemClock } from '../../lib/lifecycle.ts';
import { decodePcp, encodePcp, NONCE_BYTES, PcpClient } from '../../lib/nat/pcp.ts';
import { FakePmp, FakeUdp } from './fake-pmp.ts';

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');
const NONCE = '0102030405060708090a0b0c';
const nonce = Uint8Array.from(hex(NONCE));
const request = {
  transport: 'tcp',
  internalPort: 4_000,
  externalPort: 5_000,
  lifetime: 7_200,
} as const;
const MAPPED = '00000000 00000000 0000ffff';
const OWN = `${MAPPED} c0a80107`;
const port = fc.integer({ min: 0, max: 65_535 });
const positive = fc.integer({ min: 1, max: 0xffff_ffff });

describe('the datagrams of PCP', () => {
  it('are those of RFC 6887', () => {
    const own = '192.168.1.7';
    // 14.1: announcements have a header (7.1) only.
    const announce = Buffer.from(encodePcp({ kind: 'announce', own }));
    assert.deepEqual(announce, hex(`02 00 0000 00000000 ${OWN}`));
    // 11.1: a request to map TCP port 4000 to 5000 for two hours.
    const map = Buffer.from(encodePcp({ kind: 'map', own, nonce, ...request }));
    const payload = `${NONCE} 06 000000 0fa0 1388 ${MAPPED} 00000000`;
    assert.deepEqual(map, hex(`02 01 0000 00001c20 ${OWN} ${payload}`));
    // 7.2 and 11.1: the answers.
    const zeros = '000000000000000000000000';
    assert.deepEqual(decodePcp(hex(`02 80 00 00 00000000 00000007 ${zeros}`)), {
      kind: 'announce',
      epoch: 7,
    });
    const granted = `${NONCE} 11 000000 0fa0 1389 ${MAPPED} 0b000002`;
    assert.deepEqual(decodePcp(hex(`02 81 00 00 00000e10 00000007 ${zeros} ${granted}`)), {
      kind: 'map',
      nonce,
      epoch: 7,
      externalAddress: '11.0.0.2',
      transport: 'udp',
      internalPort: 4_000,
      externalPort: 5_001,
      lifetime: 3_600,
    });
    // Failures repeat the request, or at least its header.
    assert.deepEqual(decodePcp(hex(`02 81 00 02 0000001e 00000007 ${zeros} ${granted}`)), {
      kind: 'failure',
      to: 'map',
      result: 2,
      epoch: 7,
      nonce,
    });
    assert.deepEqual(decodePcp(hex(`02 81 00 08 0000001e 00000007 ${zeros}`)), {
      kind: 'failure',
      to: 'map',
      result: 8,
      epoch: 7,
    });
    // Appendix A: a gateway that knows NAT-PMP only.
    assert.deepEqual(decodePcp(hex('00 80 0001 00000007')), {
      kind: 'failure',
      to: 'any',
      result: 1,
      epoch: 7,
    });
  });

  it('are no answers where they are too short, of another kind, version or family', () => {
    const zeros = '000000000000000000000000';
    const head = `02 81 00 00 00000e10 00000007 ${zeros}`;
    const wrong = ['', '02', '02 81 00 00 00000e10 00000007', head];
    wrong.push(`02 82 00 00 00000e10 00000007 ${zeros}`, `03 80 00 00 00000000 00000007 ${zeros}`);
    wrong.push(`02 01 00 00 00000e10 00000007 ${zeros}`, '00 80 0000 00000007 0b000002');
    wrong.push(`${head} ${NONCE} 2a 000000 0fa0 1389 ${MAPPED} 0b000002`);
    wrong.push(`${head} ${NONCE} 06 000000 0fa0 1389 20010db8000000000000000000000001`);
    wrong.push(`${head} ${NONCE} 06 000000 0fa0 1389 ${MAPPED} 0b0000`);
    for (const bytes of wrong) assert.equal(decodePcp(hex(bytes)), undefined, bytes);
  });

  it('mean what was asked, whatever it was', () => {
    const gateway = new FakePmp();
    fc.assert(
      fc.property(
        fc.constantFrom('tcp' as const, 'udp' as const),
        port,
        port,
        positive,
        positive,
        fc.uint8Array({ minLength: NONCE_BYTES, maxLength: NONCE_BYTES }),
        fc.tuple(fc.ipV4(), fc.ipV4()),
        (transport, internalPort, externalPort, lifetime, epoch, random, [own, external]) => {
          gateway.entries.length = 0;
          gateway.epoch = epoch;
          gateway.address = external;
          const map = { transport, internalPort, externalPort, lifetime };
          const question = { kind: 'map', own, nonce: random, ...map } as const;
          const [answer] = gateway.answer(Buffer.from(encodePcp(question)));
          const expected = { kind: 'map', nonce: random, epoch, externalAddress: external, ...map };
          assert.deepEqual(decodePcp(answer!), expected);
        },
      ),
    );
  });

  it('can be anything and do no harm', () => {
    const near = fc
      .tuple(fc.constantFrom(0, 2), fc.constantFrom(128, 129), fc.uint8Array({ maxLength: 70 }))
      .map(([version, opcode, rest]) => Uint8Array.of(version, opcode, 0, 0, ...rest));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 1_200 }), near), (bytes) => {
        const answer = decodePcp(bytes);
        if (answer?.kind === 'map') assert.equal(answer.nonce.length, NONCE_BYTES);
      }),
    );
  });
});

describe('a gateway by PCP', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  const soon = (): AbortSignal => deadline(2_000);

  async function open(
    answer: (bytes: Buffer) => readonly Uint8Array[],
    options: { nonce?: Uint8Array } = {},
  ) {
    const server = await FakeUdp.open(answer);
    const place = { gateway: '127.0.0.1', own: '127.0.0.1', port: server.port };
    const client = await PcpClient.open({ ...place, nonce, clock: systemClock, ...options });
    closing.push(
      () => client.close(),
      () => server.close(),
    );
    return { server, client };
  }

  it('maps ports, shows them and removes them', async () => {
    const gateway = new FakePmp();
    const { client, server } = await open(gateway.answer);
    assert.equal(client.protocol, 'pcp');
    assert.equal(client.gateway, '127.0.0.1');
    assert.equal(await client.isSpoken(soon()), true);
    assert.equal(await client.isThere(request, soon()), false);
    const granted = await client.map(request, soon());
    const externalAddress = '11.0.0.2';
    assert.deepEqual(granted, { externalPort: 5_000, lifetime: 7_200, externalAddress });
    assert.equal(await client.isThere(request, soon()), true);
    assert.deepEqual(gateway.entries[0]?.nonce, NONCE);
    await client.unmap(request, soon());
    assert.deepEqual(gateway.entries, []);
    assert.equal(await client.isThere(request, soon()), false);
    // It is told from which address it is asked, so that an address translation between is found.
    for (const bytes of server.received)
      assert.deepEqual([...bytes.subarray(20, 24)], [127, 0, 0, 1]);
  });

  it('tells its address with a mapping, and as it is now', async () => {
    const gateway = new FakePmp();
    const { client } = await open(gateway.answer);
    await client.map(request, soon());
    gateway.address = '11.0.0.9';
    gateway.speaks = ['pcp'];
    assert.equal(await client.externalAddress(soon()), '11.0.0.9');
    assert.deepEqual(gateway.entries, [
      { protocol: 'tcp', internalPort: 4_000, externalPort: 5_000, lifetime: 7_200, nonce: NONCE },
    ]);
  });

  it('tells its address by NAT-PMP where nothing is mapped', async () => {
    const gateway = new FakePmp();
    const { client } = await open(gateway.answer);
    assert.equal(await client.externalAddress(soon()), '11.0.0.2');
    gateway.natPmpResult = 3;
    await assert.rejects(client.externalAddress(soon()), (error) => hasCode(error, 'CARRIER_NAT'));
    gateway.speaks = ['pcp'];
    const asked = client.externalAddress(deadline(50));
    await assert.rejects(asked, (error) => hasCode(error, 'TIMEOUT'));
  });

  it('says that it has no address any more, though it refuses for other reasons', async () => {
    const gateway = new FakePmp();
    const { client } = await open(gateway.answer);
    await client.map(request, soon());
    gateway.pcpResult = 8;
    assert.equal(await client.externalAddress(soon()), '11.0.0.2');
    gateway.natPmpResult = 3;
    await assert.rejects(client.externalAddress(soon()), (error) => hasCode(error, 'CARRIER_NAT'));
    gateway.natPmpResult = 2;
    const refused = client.externalAddress(soon());
    await assert.rejects(refused, (error) => hasCode(error, 'PORT_EXHAUSTED'));
  });

  it('may grant another port', async () => {
    const gateway = new FakePmp();
    gateway.taken.add(5_000);
    const { client } = await open(gateway.answer);
    assert.equal((await client.map(request, soon())).externalPort, 5_001);
  });

  it('knows after a crash what was ours, and keeps it from others', async () => {
    const gateway = new FakePmp();
    await (await open(gateway.answer)).client.map(request, soon());
    const { client } = await open(gateway.answer);
    assert.equal((await client.map(request, soon())).externalPort, 5_000);
    const other = await open(gateway.answer, { nonce: new Uint8Array(NONCE_BYTES) });
    const taken = other.client.unmap(request, soon());
    await assert.rejects(taken, (error) => hasCode(error, 'MAPPING_REFUSED'));
    await client.unmap(request, soon());
    assert.deepEqual(gateway.entries, []);
  });

  it('has forgotten all after a restart', async () => {
    const gateway = new FakePmp();
    const { client } = await open(gateway.answer);
    await client.map(request, soon());
    gateway.epoch = 3;
    assert.equal(await client.isThere(request, soon()), false);
  });

  it('is none where it knows NAT-PMP only', async () => {
    const gateway = new FakePmp();
    gateway.speaks = ['nat-pmp'];
    const { client } = await open(gateway.answer);
    assert.equal(await client.isSpoken(soon()), false);
  });

  it('is one where it does not know how to announce', async () => {
    const gateway = new FakePmp();
    gateway.pcpResult = 4;
    const { client } = await open(gateway.answer);
    assert.equal(await client.isSpoken(soon()), true);
  });

  it('says why it does not', async () => {
    const gateway = new FakePmp();
    const { client } = await open(gateway.answer);
    const codes: [number, ErrorCode][] = [
      [1, 'MAPPING_REFUSED'],
      [2, 'MAPPING_REFUSED'],
      [7, 'CARRIER_NAT'],
      [8, 'PORT_EXHAUSTED'],
      [10, 'PORT_EXHAUSTED'],
      [11, 'PORT_TAKEN'],
      [12, 'MAPPING_REFUSED'],
      [255, 'MAPPING_REFUSED'],
    ];
    for (const [result, code] of codes) {
      gateway.pcpResult = result;
      const fails = (error: unknown): boolean => hasCode(error, code);
      await assert.rejects(client.map(request, soon()), fails, `${result}`);
      await assert.rejects(client.unmap(request, soon()), fails, `${result}`);
    }
    gateway.pcpResult = 0;
    gateway.address = '0.0.0.0';
    const mapping = client.map(request, soon());
    await assert.rejects(mapping, (error) => hasCode(error, 'CARRIER_NAT'));
  });

  it('is not answered for by what belongs to other questions', async () => {
    const zeros = '000000000000000000000000';
    const head = `02 81 00 00 00000e10 00000007 ${zeros}`;
    const tail = `1388 ${MAPPED} 0b000002`;
    const { client } = await open(() => [
      hex(`${head} ff02030405060708090a0b0c 06 000000 0fa0 ${tail}`),
      hex(`${head} ${NONCE} 11 000000 0fa0 ${tail}`),
      hex(`${head} ${NONCE} 06 000000 0fa1 ${tail}`),
      hex(`02 81 00 00 00000000 00000007 ${zeros} ${NONCE} 06 000000 0fa0 ${tail}`),
      hex(`02 81 00 02 0000001e 00000007 ${zeros} ff02030405060708090a0b0c 06 000000 0fa0 ${tail}`),
      hex(`02 80 00 00 00000000 00000007 ${zeros}`),
      hex(`02 80 00 02 00000000 00000007 ${zeros}`),
      hex('00'),
    ]);
    const mapping = client.map(request, deadline(100));
    await assert.rejects(mapping, (error) => hasCode(error, 'TIMEOUT'));
  });

  it('is not believed when it grants nothing', async () => {
    const zeros = '000000000000000000000000';
    const answer = `02 81 00 00 00000e10 00000007 ${zeros} ${NONCE} 06 000000 0fa0 0000 ${MAPPED} 0b000002`;
    const { client } = await open(() => [hex(answer)]);
    const mapping = client.map(request, soon());
    await assert.rejects(mapping, (error) => hasCode(error, 'BAD_MESSAGE'));
  });

  it('is not opened with a nonce of another length, or from what is no address', async () => {
    const place = { gateway: '127.0.0.1', clock: systemClock };
    for (const wrong of [
      { own: '127.0.0.1', nonce: new Uint8Array(11) },
      { own: '::1', nonce },
    ])
      await assert.rejects(PcpClient.open({ ...place, ...wrong }), (error) =>
        hasCode(error, 'INTERNAL'),
      );
  });
});
