/** Loaded into a server before all else: on a signal it collects garbage and tells its heap. */
import { writeFileSync } from 'node:fs';

process.on('SIGUSR2', () => {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  const file = process.env['CLCHAT_BENCH_HEAP'];
  // `external` counts the array buffers already.
  if (file !== undefined) writeFileSync(file, String(heapUsed + Math.max(external, arrayBuffers)));
});
