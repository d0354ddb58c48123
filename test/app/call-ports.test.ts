import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DEFAULT_CALL_PORTS, parsePortRange, portsIn } from '../../lib/app/call-ports.ts';
import { hasCode } from '../../lib/errors.ts';

describe('ports for calls', () => {
  it('are the first, the last and all between', () => {
    assert.deepEqual(parsePortRange('50000-50003'), DEFAULT_CALL_PORTS);
    assert.deepEqual(parsePortRange('1024'), [1_024, 1_024]);
    assert.deepEqual(portsIn(DEFAULT_CALL_PORTS), [50_000, 50_001, 50_002, 50_003]);
    assert.deepEqual(portsIn([1_024, 1_024]), [1_024]);
  });

  it('are refused where they are none, too low or too many', () => {
    const wrong = [
      '',
      '-',
      '5',
      '1023-1030',
      '50003-50000',
      '50000-50016',
      '65530-65536',
      '5e4',
      ' 50000',
    ];
    for (const text of wrong)
      assert.throws(
        () => parsePortRange(text),
        (error) => hasCode(error, 'USAGE'),
        text,
      );
  });

  it('are few, whatever is written', () => {
    const text = fc.oneof(
      fc.string(),
      fc.tuple(fc.nat(70_000), fc.integer({ min: -5, max: 20 })).map(([a, n]) => `${a}-${a + n}`),
    );
    fc.assert(
      fc.property(text, (written) => {
        try {
          const ports = portsIn(parsePortRange(written));
          assert.ok(ports.length >= 1 && ports.length <= 16);
          assert.ok(ports.every((port) => port >= 1_024 && port <= 65_535));
        } catch (error) {
          assert.ok(hasCode(error, 'USAGE'));
        }
      }),
    );
  });
});
