/**
 * Brings a blob to the store in the directory given, or sends it from there, until it is done or
 * killed, with a line of output for each step. Arguments: `fetch` or `push`, the directory, the
 * address and the key of the server, and the hash and the size of the blob.
 */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { fromHex } from '../../../lib/crdt/bytes.ts';
import type { PublicKey } from '../../../lib/crdt/keys.ts';
import { systemClock } from '../../../lib/lifecycle.ts';
import { BlobClient, type TransferOptions } from '../../../lib/node/blobs/client.ts';
import { connectSource, inTurn } from '../../../lib/node/blobs/sources.ts';
import { BlobStore } from '../../../lib/node/blobs/store.ts';
import { createTransport } from '../../../lib/node/libp2p.ts';

const [what, directory = '', address = '', key = '', hash = '', size = ''] = process.argv.slice(2);
const store = await BlobStore.open({ directory, clock: systemClock, random: randomBytes });
const client = new BlobClient({ store, clock: systemClock });
const transport = await createTransport({ seed: randomBytes(32), listen: [] });
const reference = { hash: Uint8Array.from(fromHex(hash)), size: Number(size), name: 'file.bin' };
const target = { addresses: [address], key: key as PublicKey };
const options: TransferOptions = { onProgress: ({ done }) => writeSync(1, `${done}\n`) };

if (what === 'fetch')
  await client.fetch(
    reference,
    inTurn([(signal) => connectSource(transport, target, signal)]),
    options,
  );
else {
  const { exchange, release } = await connectSource(
    transport,
    target,
    new AbortController().signal,
  );
  await client.push(reference, exchange, options);
  release();
}
await transport.stop();
await store.close();
writeSync(1, 'done\n');
