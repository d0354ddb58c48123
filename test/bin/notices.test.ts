import assert from 'node:assert/strict';
import { noticesOf } from '../../bin/notices.mjs';

describe('notices of what others wrote', () => {
  it('name each package once, with its licence and the text of that', async () => {
    const text = await noticesOf([
      'node_modules/level/index.js',
      'node_modules/@noble/hashes/sha2.js',
      'node_modules/@noble/hashes/utils.js',
      'lib/app.ts',
    ]);
    assert.equal(text.match(/^level \d+\.\d+\.\d+ \(MIT\)/gm)?.length, 1);
    assert.equal(text.match(/^@noble\/hashes \d+\.\d+\.\d+ \(MIT\)/gm)?.length, 1);
    assert.match(text, /Permission is hereby granted, free of charge/);
  });

  it('hold the licence of the data that names are compared by', async () => {
    assert.match(await noticesOf([]), /^Unicode data[^]*UNICODE LICENSE V3/m);
  });
});
