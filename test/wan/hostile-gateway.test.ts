/** A server behind a router that means harm, or knows no better. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { LabProcess } from '../lan/process.ts';
import { event, PATIENCE_MS } from './program.ts';
import { Programs } from './programs.ts';
import { describeLong, PORT, stageFor } from './stage.ts';
import { noteTime } from './times.ts';

const SCRIPT = fileURLToPath(new URL('./fixtures/hostile-gateway.ts', import.meta.url));
const READY_MS = 10_000;

describeLong('a server at a hostile gateway', function () {
  this.timeout(120_000);
  const stage = stageFor({ homes: [{ igd: 'off' }] }, 'pub1');
  const programs = new Programs(() => stage.lab);
  let gateway: LabProcess | undefined;
  afterEach(() => gateway?.kill());

  for (const kind of ['garbage', 'bomb', 'endless', 'redirect', 'silent', 'elsewhere', 'flood'])
    it(`is ready in time and says why nobody comes in: ${kind}`, async () => {
      const elsewhere = `${stage.address('pub1')}:${PORT}`;
      gateway = stage.lab.router('r1').runTypeScript(SCRIPT, kind, elsewhere);
      await gateway.next((line) => line['type'] === 'ready', PATIENCE_MS, 'the gateway');
      const { process, ready, milliseconds } = await programs.serve('a1');
      assert.equal(ready['external'], undefined);
      assert.ok(milliseconds < READY_MS, `${milliseconds} ms`);
      const failed = event('mapping', { state: 'failed' });
      const begun = performance.now();
      const { code } = await process.next(failed, PATIENCE_MS, 'the reason');
      const waited = milliseconds + performance.now() - begun;
      noteTime(`-s at a gateway that means harm, ${kind}: ready`, milliseconds);
      noteTime(`-s at a gateway that means harm, ${kind}: ${String(code)}`, waited);
      // Some garbage is a refusal.
      if (kind !== 'garbage') assert.equal(code, 'NO_GATEWAY');
      // It serves as before.
      await programs.join('a1', String(ready['invite']), 'ann');
      process.send('quit');
      assert.equal(await process.end(), 0);
    });
});
