/** The part of it that is used here. */
declare module 'sodium-native' {
  /** @throws where the signature has not 64 bytes or the key not 32 */
  export function crypto_sign_verify_detached(
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
  ): boolean;
}
