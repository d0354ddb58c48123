/**
 * What a simulation of many peers in one process need not pay for each of them: the same answers as
 * ever, had faster.
 */
import crypto, { createHash, type KeyObject } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import nacl from 'tweetnacl';

/**
 * Until what it returns is called: what one peer has computed of a signature or of two keys is known
 * to all, keys are agreed upon by node's own curve, and come from passwords at once, so that nothing
 * hangs on another thread.
 */
export function takeShortcuts(): () => void {
  const { verify, scrypt, createPrivateKey } = crypto;
  const { box } = nacl;
  const agree = remember(agreement);
  const derive = remember(publicOf);
  const parse = remember((pkcs8: Uint8Array) =>
    createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' }),
  );
  const verdicts = new Map<KeyObject, (signature: Uint8Array, data: Uint8Array) => boolean>();

  Object.assign(crypto, {
    verify: (algorithm: null, data: Uint8Array, key: KeyObject, signature: Uint8Array): boolean => {
      let judge = verdicts.get(key);
      if (judge === undefined) {
        judge = remember((by: Uint8Array, of: Uint8Array) => verify(algorithm, of, key, by));
        verdicts.set(key, judge);
      }
      return judge(signature, data);
    },
    scrypt: (
      secret: string,
      salt: Uint8Array,
      outputLength: number,
      _cost: object,
      done: (error: null, key: Buffer) => void,
    ): void => {
      const hash = createHash('shake256', { outputLength });
      done(null, hash.update(salt).update(secret).digest());
    },
    createPrivateKey: (key: Parameters<typeof createPrivateKey>[0]): KeyObject =>
      isPkcs8(key) ? parse(key.key) : createPrivateKey(key),
  });
  syncBuiltinESMExports();

  const fastBox = (
    message: Uint8Array,
    nonce: Uint8Array,
    theirs: Uint8Array,
    mine: Uint8Array,
  ): Uint8Array => nacl.secretbox(message, nonce, agree(theirs, mine));
  nacl.box = Object.assign(fastBox, box, {
    open: (sealed: Uint8Array, nonce: Uint8Array, theirs: Uint8Array, mine: Uint8Array) =>
      nacl.secretbox.open(sealed, nonce, agree(theirs, mine)),
    keyPair: Object.assign((): nacl.BoxKeyPair => box.keyPair(), {
      fromSecretKey: (secretKey: Uint8Array): nacl.BoxKeyPair => ({
        publicKey: derive(secretKey).slice(),
        secretKey: secretKey.slice(),
      }),
    }),
  });

  return () => {
    Object.assign(crypto, { verify, scrypt, createPrivateKey });
    syncBuiltinESMExports();
    nacl.box = box;
  };
}

interface Pkcs8 {
  readonly key: Uint8Array;
  readonly format: 'der';
}

function isPkcs8(key: unknown): key is Pkcs8 {
  const { format, key: bytes } = key as Partial<Pkcs8>;
  return format === 'der' && bytes instanceof Uint8Array;
}

/** A function of byte strings that computes each value once. */
function remember<T, A extends readonly Uint8Array[]>(
  compute: (...args: A) => T,
): (...args: A) => T {
  const known = new Map<string, { readonly value: T }>();
  return (...args) => {
    const key = args.map(latin1).join('');
    let found = known.get(key);
    if (found === undefined) known.set(key, (found = { value: compute(...args) }));
    return found.value;
  };
}

function latin1({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1');
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
/** Only the secret half of a private key is looked at. */
const privateKey = (secret: Uint8Array): KeyObject =>
  crypto.createPrivateKey({
    key: { kty: 'OKP', crv: 'X25519', d: base64(secret), x: base64(secret) },
    format: 'jwk',
  });

function publicOf(secret: Uint8Array): Uint8Array {
  const { x = '' } = crypto.createPublicKey(privateKey(secret)).export({ format: 'jwk' });
  return Uint8Array.from(Buffer.from(x, 'base64url'));
}

/** What `nacl.box.before` gives. */
function agreement(theirs: Uint8Array, mine: Uint8Array): Uint8Array {
  const publicKey = crypto.createPublicKey({
    key: { kty: 'OKP', crv: 'X25519', x: base64(theirs) },
    format: 'jwk',
  });
  const shared = crypto.diffieHellman({ privateKey: privateKey(mine), publicKey });
  const { crypto_core_hsalsa20: mix } = (nacl as unknown as LowLevel).lowlevel;
  const key = new Uint8Array(32);
  mix(key, new Uint8Array(16), Uint8Array.from(shared), SIGMA);
  return key;
}

interface LowLevel {
  readonly lowlevel: {
    readonly crypto_core_hsalsa20: (
      out: Uint8Array,
      input: Uint8Array,
      key: Uint8Array,
      constant: Uint8Array,
    ) => void;
  };
}

const SIGMA = Uint8Array.from(Buffer.from('expand 32-byte k'));
