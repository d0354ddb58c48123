import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { freeListenAddress } from '../../lib/app/ports.ts';
import { LAST_PORT } from '../../lib/app/server-peer.ts';
import { parseEndpoint } from '../../lib/interfaces.ts';

describe('the address for a new server', () => {
  it('is at a port that is free, and so is the next', async () => {
    const first = parseEndpoint(await freeListenAddress());
    assert.equal(first.ip, '0.0.0.0');
    // Whoever has the second port only is stepped over as well.
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(first.port + 1, '0.0.0.0', resolve));
    const { port } = parseEndpoint(await freeListenAddress());
    await new Promise((resolve) => other.close(resolve));
    assert.ok(port > first.port + 1 || first.port >= LAST_PORT - 1, `${port} after ${first.port}`);
  });
});
