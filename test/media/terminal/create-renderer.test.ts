import assert from 'node:assert/strict';
import { createRenderer } from '../../../lib/media/terminal/create-renderer.ts';
import { GRAPHICS_MODES } from '../../../lib/media/terminal/renderer.ts';
import { waves } from '../../support/terminal-pictures.ts';

describe('each graphics mode', () => {
  const area = { column: 1, row: 1, width: 20, height: 8 };

  for (const mode of GRAPHICS_MODES)
    it(`has its renderer: ${mode}`, () => {
      const renderer = createRenderer(mode);
      assert.equal(renderer.mode, mode);
      const { bytes, drawn } = renderer.draw(waves(64, 48, 1), area);
      assert.ok(bytes.length > 0);
      assert.deepEqual(drawn.area, area);
    });

  it('can be followed by another one in the same area', () => {
    for (const before of GRAPHICS_MODES)
      for (const mode of GRAPHICS_MODES) {
        if (mode === before) continue;
        const { drawn } = createRenderer(before).draw(waves(64, 48, 1), area);
        const fresh = createRenderer(mode, { firstImage: 1 }).draw(waves(64, 48, 1), area);
        const after = createRenderer(mode, { firstImage: 1 }).draw(waves(64, 48, 1), area, drawn);
        assert.ok(Buffer.from(after.bytes).equals(fresh.bytes), `${before}, ${mode}`);
      }
  });
});
