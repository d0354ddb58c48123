/** STUN with others: our questions to coturn, and those of its client to us. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { LabProcess, Line } from '../lan/process.ts';
import { execute } from '../support/namespaces.ts';
import { describeLong, stageFor } from './stage.ts';

const SCRIPT = fileURLToPath(new URL('./fixtures/stun.ts', import.meta.url));
const PORT = 49_152;
const PATIENCE_MS = 30_000;

describeLong('STUN across an internet', function () {
  this.timeout(120_000);
  const stage = stageFor({ homes: [{}, { nat: 'symmetric' }], turn: true, ipv6: true });
  const running = new Map<string, LabProcess>();
  after(() => running.clear());
  let last = 0;

  const command = async (host: string, fields: Line): Promise<Line> => {
    const process = running.get(host) ?? stage.lab.host(host).runTypeScript(SCRIPT);
    running.set(host, process);
    const id = ++last;
    process.send(JSON.stringify({ id, ...fields }));
    return process.next((line) => line['id'] === id, PATIENCE_MS, JSON.stringify(fields));
  };
  const ask = async (host: string, ip: string, port: number): Promise<string> => {
    const { seen, code } = await command(host, { do: 'ask', ip, port });
    return String(seen ?? code);
  };
  const ipOf = (endpoint: string): string => endpoint.slice(0, endpoint.lastIndexOf(':'));

  it('is understood by coturn, from behind routers and without', async () => {
    const { address, secondAddress, port } = stage.lab.turn;
    for (const [host, router] of [
      ['a1', 'r1'],
      ['b1', 'r2'],
      ['pub1', 'pub1'],
    ] as const)
      for (const server of [address, secondAddress])
        assert.equal(ipOf(await ask(host, server, port)), stage.address(router), host);
  });

  it('is not answered where nobody is', async () => {
    assert.equal(await ask('a1', stage.address('pub1'), 9), 'TIMEOUT');
  });

  it('is answered to each of us with the address of the own router', async () => {
    await command('pub1', { do: 'serve', ip: '0.0.0.0', port: PORT });
    await command('pub1', { do: 'serve', ip: '::', port: PORT });
    const { address, address6 } = stage.lab.host('pub1');
    for (const [host, router] of [
      ['a1', 'r1'],
      ['b1', 'r2'],
    ] as const) {
      assert.equal(ipOf(await ask(host, address, PORT)), stage.address(router), host);
      const seen = await ask(host, address6!, PORT);
      assert.equal(ipOf(seen), `[${stage.lab.host(host).address6}]`, host);
    }
  });

  it("is answered to coturn's client, which may ask for more than there is", async () => {
    const { address } = stage.lab.host('pub1');
    const client = async (host: string, ...args: readonly string[]): Promise<string> => {
      const { namespace } = stage.lab.host(host);
      const asked = ['turnutils_stunclient', ...args, '-p', String(PORT), address];
      const outcome = await execute('ip', ['netns', 'exec', namespace, ...asked], {
        timeout: PATIENCE_MS,
      });
      return `${outcome.stdout}${outcome.stderr}`;
    };
    const said = await client('a1');
    assert.ok(said.includes(`reflexive addr: ${stage.address('r1')}:`), said);
  });
});
