/** What passes between `opaque.ts` and its helper process. Bytes are base64url. */

interface Calls {
  registerStart: { password: string };
  registerFinish: { password: string; state: string; response: string; server: string };
  loginStart: { password: string };
  loginFinish: { password: string; state: string; response: string; server: string };
  createSetup: Record<string, never>;
  registerResponse: { setup: string; user: string; request: string };
  loginResponse: {
    setup: string;
    server: string;
    user: string;
    record: string | null;
    request: string;
  };
  loginVerify: { server: string; state: string; finish: string };
}

export type OpaqueMethod = keyof Calls;
export type OpaqueArgs<M extends OpaqueMethod> = Calls[M];

export type OpaqueCall = {
  [M in OpaqueMethod]: { readonly id: number; readonly method: M; readonly args: Calls[M] };
}[OpaqueMethod];

export type OpaqueReply =
  | { readonly id: number; readonly result: unknown }
  /** `malformed`: the input was; `trap`: the child is about to end. */
  | { readonly id: number; readonly failed: 'malformed' | 'trap' };
