import assert from 'node:assert/strict';
import { observedBy } from '../../lib/app/observers.ts';
import { ClchatError } from '../../lib/errors.ts';
import { systemClock } from '../../lib/lifecycle.ts';
import { StunResponder } from '../../lib/nat/stun.ts';
import { parseTurnUrl } from '../../lib/nat/turn-url.ts';

describe('who sees this host from outside', () => {
  let responder: StunResponder;
  before(async () => {
    const listen = [{ ip: '127.0.0.1', port: 0 }];
    responder = await StunResponder.open({ listen, clock: systemClock });
  });
  after(() => responder.close());

  const peers = async (): Promise<{ address: string; by: string }[]> => [
    { address: '11.0.0.2:5000', by: 'a' },
    { address: '192.168.1.7:5000', by: 'b' },
  ];
  const turnAt = (host: string): ReturnType<typeof parseTurnUrl> =>
    parseTurnUrl(`turn:lab:secret@${host}:${responder.ports[0]}`);

  it('are peers', async () => {
    const seen = await observedBy({ peers, turn: undefined })();
    assert.deepEqual(seen, ['11.0.0.2:5000', '192.168.1.7:5000']);
  });

  it('is a TURN server, by its name or address', async () => {
    for (const host of ['127.0.0.1', 'localhost']) {
      const [first, ...others] = await observedBy({ peers, turn: turnAt(host) })();
      assert.match(first ?? '', /^127\.0\.0\.1:\d+$/);
      assert.equal(others.length, 2);
    }
  });

  it('are those who answer', async () => {
    const lost = async (): Promise<never> => {
      throw new ClchatError('CLOSED');
    };
    const turn = turnAt('no-such-host.invalid');
    assert.deepEqual(await observedBy({ peers: lost, turn })(), []);
  });
});
