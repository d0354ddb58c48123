import assert from 'node:assert/strict';
import { bounded, join, toDevice } from '../../../lib/media/devices/device.ts';

describe('a device in a list', () => {
  it('is what can be written to choose it, and what it calls itself', () => {
    assert.deepEqual(toDevice('camera', '/dev/video0', ' C922\n'), {
      kind: 'camera',
      id: '/dev/video0',
      label: 'C922',
    });
    assert.deepEqual(toDevice('speaker', 'hall', '', true), {
      kind: 'speaker',
      id: 'hall',
      label: 'hall',
      isDefault: true,
    });
  });

  it('is left out where it could not be chosen', () => {
    for (const id of ['', 'a\u001b[31mb', 'a\nb', ' a', 'x'.repeat(201)])
      assert.equal(toDevice('camera', id, 'label'), undefined);
  });

  it('is there once, and one of a number that can be read', () => {
    const many = Array.from({ length: 500 }, (_, at) => toDevice('camera', `${at % 100}`, `${at}`));
    const devices = bounded([undefined, ...many]);
    assert.equal(devices.length, 64);
    assert.equal(devices[3]?.label, '3');
  });

  it('is joined with others, and each problem told once', () => {
    const camera = { kind: 'camera', id: 'a', label: 'a' } as const;
    const joined = join(
      { devices: [camera], problems: ['x'] },
      { devices: [], problems: ['x', 'y'] },
    );
    assert.deepEqual(joined, { devices: [camera], problems: ['x', 'y'] });
  });
});
