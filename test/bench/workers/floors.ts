/** What one entry costs in keys and hashes, bare and as the product does it. */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { sealedBody } from '../../../lib/crdt/bodies.ts';
import { encode, parse } from '../../../lib/crdt/codec.ts';
import {
  decodeEntry,
  encodeEntry,
  newSalt,
  signEntry,
  verifyEntry,
} from '../../../lib/crdt/entry.ts';
import { SigningKey, type EntryId } from '../../../lib/crdt/keys.ts';
import { openBody, sealBody } from '../../../lib/crdt/sealed-body.ts';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { now } from '../support/stats.ts';
import { serve } from '../support/worker.ts';

/** @returns operations a second */
function rateOf(milliseconds: number, run: () => unknown): number {
  for (let warm = 0; warm < 200; warm++) run();
  let times = 0;
  const begun = now();
  while (now() - begun < milliseconds) {
    for (let i = 0; i < 50; i++) run();
    times += 50;
  }
  return times / ((now() - begun) / 1_000);
}

const methods = {
  /** Pairs of what the product does and the bare operation under it; operations a second. */
  async measure({ milliseconds, size }: { milliseconds: number; size: number }) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const block = randomBytes(size);
    const signature = sign(null, block, privateKey);
    const key = randomBytes(32);
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    const sealed = Buffer.concat([cipher.update(block), cipher.final()]);
    const tag = cipher.getAuthTag();

    const device = new SigningKey(randomBytes(32));
    const body = encode({ text: 'a'.repeat(size) });
    const header = {
      server: device.public,
      stream: LOBBY_STREAM,
      seq: 1,
      previous: null,
      clock: 1,
      time: Date.now(),
      kind: 'say',
    };
    const salt = newSalt(randomBytes);
    const make = () => encodeEntry(signEntry(device, header, body, salt));
    const entry = make();
    const place = {
      server: device.public,
      stream: LOBBY_STREAM,
      device: device.public,
      seq: 1,
    };
    const epoch = 'a'.repeat(64) as EntryId;
    const { box } = parse(sealedBody, sealBody(key, epoch, place, salt, body));
    if (openBody(key, epoch, place, salt, box) === undefined) throw new Error('not opened');
    const rate = (run: () => unknown): number => rateOf(milliseconds, run);
    return {
      sign: { product: rate(make), bare: rate(() => sign(null, block, privateKey)) },
      verify: {
        product: rate(() => verifyEntry(decodeEntry(entry))),
        bare: rate(() => verify(null, block, publicKey, signature)),
      },
      seal: {
        product: rate(() => sealBody(key, epoch, place, salt, body)),
        bare: rate(() => {
          const one = createCipheriv('aes-256-gcm', key, nonce);
          return [one.update(block), one.final(), one.getAuthTag()];
        }),
      },
      open: {
        product: rate(() => openBody(key, epoch, place, salt, box)),
        bare: rate(() => {
          const one = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
          one.setAuthTag(tag);
          return [one.update(sealed), one.final()];
        }),
      },
      hash: rate(() => createHash('sha256').update(block).digest()),
    };
  },
};

export type FloorsMethods = typeof methods;

serve(methods);
