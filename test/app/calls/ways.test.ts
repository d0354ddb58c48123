import assert from 'node:assert/strict';
import { mappedPorts, waysOf } from '../../../lib/app/calls/ways.ts';

describe('ways through routers', () => {
  it('are those that the server tells, as the library wants them', () => {
    const turn = { url: 'turn:192.0.2.9:3478?transport=udp', username: 'u', credential: 'c' };
    const stun = ['192.0.2.1:3478', '[2001:db8::1]:3478', '192.0.2.3:1', '192.0.2.4:1'];
    const mapped = [{ port: 1, external: { ip: '198.51.100.1', port: 2 } }];
    assert.deepEqual(waysOf({ stun, turn }, mapped), {
      servers: [
        { urls: 'stun:192.0.2.1:3478' },
        { urls: 'stun:[2001:db8::1]:3478' },
        { urls: 'stun:192.0.2.3:1' },
        { urls: turn.url, username: 'u', credential: 'c' },
      ],
      mapped,
    });
  });

  it('are none where nothing is told', () => {
    assert.deepEqual(waysOf(undefined, []), { servers: [], mapped: [] });
    assert.deepEqual(waysOf({ stun: [] }, []), { servers: [], mapped: [] });
  });

  it('are the ports of the gateway, too', () => {
    const open = [
      { port: 50_000, external: '198.51.100.1:50001' },
      { port: 50_001, external: '[2001:db8::1]:50002' },
    ];
    assert.deepEqual(mappedPorts(open as never), [
      { port: 50_000, external: { ip: '198.51.100.1', port: 50_001 } },
      { port: 50_001, external: { ip: '2001:db8::1', port: 50_002 } },
    ]);
  });
});
