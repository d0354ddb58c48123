/**
 * The helper process in which OPAQUE runs: its WebAssembly never gives back the 64 MiB that
 * stretching a password takes, and would block the event loop meanwhile. Ends with its parent.
 */
import * as opaque from '@serenity-kit/opaque';
import type { OpaqueCall, OpaqueReply } from './opaque-calls.ts';

// Ctrl-C is for the parent, which may want to finish something first.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());

/** The stretching of RFC 9106 for little memory: 64 MiB, three passes. Fixed: records depend on it. */
const keyStretching = 'memory-constrained';

/** Runs one call. Throws what the library throws, for malformed input above all. */
function run(call: OpaqueCall): unknown {
  switch (call.method) {
    case 'registerStart': {
      const started = opaque.client.startRegistration(call.args);
      return { request: started.registrationRequest, state: started.clientRegistrationState };
    }
    case 'registerFinish': {
      const { password, state, response, server } = call.args;
      const finished = opaque.client.finishRegistration({
        password,
        clientRegistrationState: state,
        registrationResponse: response,
        identifiers: { server },
        keyStretching,
      });
      return {
        record: finished.registrationRecord,
        exportKey: finished.exportKey,
        serverKey: finished.serverStaticPublicKey,
      };
    }
    case 'loginStart': {
      const started = opaque.client.startLogin(call.args);
      return { request: started.startLoginRequest, state: started.clientLoginState };
    }
    case 'loginFinish': {
      const { password, state, response, server } = call.args;
      const finished = opaque.client.finishLogin({
        password,
        clientLoginState: state,
        loginResponse: response,
        identifiers: { server },
        keyStretching,
      });
      if (finished === undefined) return null;
      return {
        finish: finished.finishLoginRequest,
        exportKey: finished.exportKey,
        sessionKey: finished.sessionKey,
      };
    }
    case 'createSetup':
      return { setup: opaque.server.createSetup() };
    case 'registerResponse': {
      const { setup, user, request } = call.args;
      const { registrationResponse } = opaque.server.createRegistrationResponse({
        serverSetup: setup,
        userIdentifier: user,
        registrationRequest: request,
      });
      return { response: registrationResponse };
    }
    case 'loginResponse': {
      const { setup, server, user, record, request } = call.args;
      const { loginResponse, serverLoginState } = opaque.server.startLogin({
        serverSetup: setup,
        userIdentifier: user,
        registrationRecord: record,
        startLoginRequest: request,
        identifiers: { server },
      });
      return { response: loginResponse, state: serverLoginState };
    }
    case 'loginVerify': {
      const { server, state, finish } = call.args;
      const { sessionKey } = opaque.server.finishLogin({
        serverLoginState: state,
        finishLoginRequest: finish,
        identifiers: { server },
      });
      return { sessionKey };
    }
  }
}

process.on('message', (call: OpaqueCall) => {
  void opaque.ready.then(() => {
    const reply = (message: OpaqueReply, then?: () => void): void => {
      process.send?.(message, undefined, {}, then);
    };
    try {
      reply({ id: call.id, result: run(call) });
    } catch (error) {
      // After a trap the memory of WebAssembly may be in any state: the parent starts a new child.
      if (error instanceof Error && error.name === 'RuntimeError')
        reply({ id: call.id, failed: 'trap' }, () => process.exit(1));
      else reply({ id: call.id, failed: 'malformed' });
    }
  });
});
