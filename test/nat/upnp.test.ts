import assert from 'node:assert/strict';
import { hasCode, type ErrorCode } from '../../lib/errors.ts';
import { deadline, until } from '../../lib/lifecycle.ts';
import type { Route } from '../../lib/nat/route.ts';
import { UpnpClient } from '../../lib/nat/upnp.ts';
import { descriptionOf, FakeIgd, type IgdEntry } from './fake-igd.ts';

const route: Route = { gateway: '127.0.0.1', own: '127.0.0.1', card: 'lo', family: 4 };
const request = {
  transport: 'tcp',
  internalPort: 4_000,
  externalPort: 5_000,
  lifetime: 7_200,
} as const;
const DESCRIPTION = 'clchat <a> & b';
const soon = (): AbortSignal => deadline(3_000);

for (const version of [1, 2] as const)
  describe(`a gateway by UPnP, version ${version}`, () => {
    let igd: FakeIgd;
    beforeEach(async () => {
      igd = await FakeIgd.open(version);
    });
    afterEach(() => igd.close());

    const open = (location = `${igd.origin}/root.xml`): Promise<UpnpClient> =>
      UpnpClient.open({ route, location, description: DESCRIPTION }, soon());
    const fails = (promise: Promise<unknown>, code: ErrorCode, why?: string): Promise<void> =>
      assert.rejects(promise, (error) => hasCode(error, code), why);
    const others: IgdEntry = {
      client: '127.0.0.9',
      internalPort: 4_000,
      description: DESCRIPTION,
      lease: 600,
      enabled: true,
    };
    const actions = (): string[] => igd.calls.map(({ action }) => action);

    it('maps ports, shows them and removes them', async () => {
      const client = await open();
      assert.equal(client.protocol, 'upnp');
      assert.equal(client.gateway, '127.0.0.1');
      assert.equal(client.service, igd.serviceType);
      assert.equal(await client.externalAddress(soon()), '11.0.0.2');
      assert.equal(await client.isThere(request, soon()), false);
      assert.deepEqual(await client.map(request, soon()), { externalPort: 5_000, lifetime: 7_200 });
      const entry = { client: '127.0.0.1', internalPort: 4_000, description: DESCRIPTION };
      assert.deepEqual([...igd.entries], [['TCP 5000', { ...entry, lease: 7_200, enabled: true }]]);
      assert.equal(await client.isThere(request, soon()), true);
      assert.equal(await client.isThere({ ...request, transport: 'udp' }, soon()), false);
      await client.unmap(request, soon());
      assert.deepEqual([...igd.entries], []);
      await client.unmap(request, soon());
      client.close();
    });

    it('renews what is ours, also from before a crash', async () => {
      await (await open()).map(request, soon());
      igd.entries.get('TCP 5000')!.lease = 5;
      const client = await open();
      assert.deepEqual(await client.map(request, soon()), { externalPort: 5_000, lifetime: 7_200 });
      assert.equal(igd.entries.size, 1);
      await client.unmap(request, soon());
      assert.equal(igd.entries.size, 0);
    });

    it('leaves alone what is mapped to another host', async () => {
      igd.entries.set('TCP 5000', { ...others });
      const client = await open();
      if (version === 1) await fails(client.map(request, soon()), 'PORT_TAKEN');
      else assert.equal((await client.map(request, soon())).externalPort, 5_001);
      await client.unmap(request, soon());
      assert.equal(await client.isThere(request, soon()), false);
      assert.deepEqual(igd.entries.get('TCP 5000'), others);
      // A gateway that would have overwritten it was not asked to.
      assert.ok(!actions().includes('AddPortMapping') && !actions().includes('DeletePortMapping'));
    });

    it('leaves alone what is mapped to another program here', async () => {
      igd.entries.set('TCP 5000', { ...others, client: '127.0.0.1', internalPort: 4_001 });
      const client = await open();
      if (version === 1) await fails(client.map(request, soon()), 'PORT_TAKEN');
      await client.unmap(request, soon());
      assert.equal(igd.entries.get('TCP 5000')?.internalPort, 4_001);
    });

    it('makes use of what somebody has set up for this port, and leaves it', async () => {
      const theirs = { ...others, client: '127.0.0.1', description: 'my own', lease: 0 };
      igd.entries.set('TCP 5000', theirs);
      const client = await open();
      const granted = await client.map(request, soon());
      assert.deepEqual(granted, { externalPort: 5_000, lifetime: Infinity });
      assert.equal(await client.isThere(request, soon()), true);
      await client.unmap(request, soon());
      assert.deepEqual(igd.entries.get('TCP 5000'), theirs);
      theirs.enabled = false;
      assert.equal(await client.isThere(request, soon()), false);
      if (version === 1) await fails(client.map(request, soon()), 'PORT_TAKEN');
    });

    it('has mappings for good where it knows no others', async () => {
      igd.leases = 'permanent';
      const client = await open();
      const granted = await client.map(request, soon());
      assert.deepEqual(granted, { externalPort: 5_000, lifetime: Infinity });
      await client.unmap(request, soon());
      assert.equal(igd.entries.size, 0);
    });

    it('knows its own again though the gateway changes the text', async () => {
      igd.rewrite = (description) => description.slice(0, 6);
      const client = await open();
      await client.map(request, soon());
      igd.entries.get('TCP 5000')!.lease = 5;
      assert.equal((await client.map(request, soon())).lifetime, 7_200);
      await client.unmap(request, soon());
      assert.equal(igd.entries.size, 0);
    });

    it('says why it does not', async () => {
      const client = await open();
      const faults: [number, ErrorCode][] = [
        [402, 'MAPPING_REFUSED'],
        [501, 'MAPPING_REFUSED'],
        [606, 'MAPPING_REFUSED'],
        [718, 'PORT_TAKEN'],
        [724, 'PORT_TAKEN'],
        [725, 'MAPPING_REFUSED'],
        [728, 'PORT_EXHAUSTED'],
        [729, 'PORT_TAKEN'],
      ];
      for (const [fault, code] of faults) {
        igd.faults.set('AddPortMapping', fault);
        igd.faults.set('AddAnyPortMapping', fault);
        await fails(client.map(request, soon()), code, `${fault}`);
      }
      await client.map({ ...request, externalPort: 1 }, soon()).then(
        () => assert.fail('nothing is refused'),
        (error: unknown) => assert(hasCode(error, 'PORT_TAKEN')),
      );
    });

    it('says that it has no address', async () => {
      const client = await open();
      for (const address of ['', '0.0.0.0']) {
        igd.address = address;
        await fails(client.externalAddress(soon()), 'CARRIER_NAT');
      }
      igd.address = '1.2.3';
      await fails(client.externalAddress(soon()), 'BAD_MESSAGE');
      igd.faults.set('GetExternalIPAddress', 501);
      await fails(client.externalAddress(soon()), 'CARRIER_NAT');
      igd.faults.set('GetExternalIPAddress', 606);
      await fails(client.externalAddress(soon()), 'MAPPING_REFUSED');
    });

    it('is believed where it does not show what it maps, and nothing is removed unseen', async () => {
      igd.faults.set('GetSpecificPortMappingEntry', 401);
      const client = await open();
      assert.deepEqual(await client.map(request, soon()), { externalPort: 5_000, lifetime: 7_200 });
      assert.equal(await client.isThere(request, soon()), true);
      await fails(client.unmap(request, soon()), 'MAPPING_REFUSED');
      assert.equal(igd.entries.size, 1);
    });

    it('is not believed where it grants what it has not made', async () => {
      const client = await open();
      igd.override = (incoming, response) => {
        if (!String(incoming.headers.soapaction).endsWith('#AddPortMapping"')) return false;
        igd.entries.set('TCP 5000', { ...others });
        response.end(
          `<Envelope><Body><AddPortMappingResponse></AddPortMappingResponse></Body></Envelope>`,
        );
        return true;
      };
      await fails(client.map(request, soon()), 'PORT_TAKEN');
      assert.deepEqual(igd.entries.get('TCP 5000'), others);
    });

    it('may be one of several services: the one that is connected', async () => {
      igd.description = descriptionOf([
        { type: igd.serviceType, control: '/idle' },
        { type: 'urn:schemas-upnp-org:service:WANPPPConnection:1', control: '/busy' },
      ]);
      igd.override = (incoming, response) => {
        if (incoming.url !== '/idle') return false;
        response.statusCode = 500;
        response.end(
          '<Envelope><Body><Fault><detail><UPnPError><errorCode>501</errorCode></UPnPError></detail></Fault></Body></Envelope>',
        );
        return true;
      };
      assert.match((await open()).service, /WANPPPConnection:1$/);
      igd.faults.set('GetStatusInfo', 401);
      assert.equal((await open()).service, igd.serviceType);
    });

    it('is not used where it points elsewhere', async () => {
      const elsewhere = [
        'http://127.0.0.2/root.xml',
        'file:///etc/passwd',
        'https://127.0.0.1/',
        'x',
      ];
      for (const location of elsewhere) await fails(open(location), 'BAD_MESSAGE', location);
      assert.deepEqual(igd.paths, []);
      for (const control of ['http://127.0.0.2/c', 'file:///etc/passwd']) {
        igd.description = descriptionOf([{ type: igd.serviceType, control }]);
        await fails(open(), 'BAD_MESSAGE', control);
      }
    });

    it('is not used where its description is a bomb, too long or none', async () => {
      const descriptions = [
        '<!DOCTYPE a [<!ENTITY a "b">]><root>&a;</root>',
        '<device>'.repeat(130_000),
        'x'.repeat(1_000_000),
        '<html>Log in</html>',
        '',
      ];
      for (const description of descriptions) {
        igd.description = description;
        await fails(open(), 'BAD_MESSAGE', description.slice(0, 30));
      }
      igd.override = (_, response) => {
        response.writeHead(302, { Location: `${igd.origin}/root.xml` });
        response.end();
        return true;
      };
      await fails(open(), 'BAD_MESSAGE');
      assert.ok(await until(3_000, () => igd.connections === 0));
    });

    it('fails when it hangs, and leaves no connection behind', async () => {
      const client = await open();
      igd.override = () => true;
      const quick = { ...request };
      await fails(client.map(quick, deadline(100)), 'TIMEOUT');
      await fails(client.unmap(quick, deadline(100)), 'TIMEOUT');
      await fails(client.isThere(quick, deadline(100)), 'TIMEOUT');
      await fails(client.externalAddress(deadline(100)), 'TIMEOUT');
      assert.ok(await until(3_000, () => igd.connections === 0));
    });
  });
