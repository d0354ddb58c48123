/** The thread on which many signatures are verified at once. */
import { parentPort } from 'node:worker_threads';
import { quickVerify } from './signatures.ts';
import type { VerifierCall, VerifierReply } from './verifier.ts';

const port = parentPort;
const verify = quickVerify();

port?.on('message', ({ id, signed, bytes }: VerifierCall) => {
  let at = 0;
  const take = (length: number): Uint8Array => bytes.subarray(at, (at += length));
  const isValid = signed.every(([key, tag, length, signatureLength]) =>
    verify(key, tag, take(length), take(signatureLength)),
  );
  port.postMessage({ id, isValid } satisfies VerifierReply);
});
