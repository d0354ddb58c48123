/** Servers, accounts and devices: SPEC's first rows, and how a lock and an inactive client end. */
import { keep, none, some, type Scene } from './row.ts';

// prettier-ignore
export const STARTING: Scene = {
  title: 'a server, its administrator, and who is found by multicast',
  rows: [
    ['gate', '$ clchat', { mode: 'shell', user: null }],
    ['gate', 'server trial', 'USAGE'],
    ['gate', 'server trial nowhere', 'BAD_ADDRESS'],
    ['gate', 'server a/b 0.0.0.0:49152', 'BAD_NAME'],
    ['gate', 'user gate gate-secret', 'NETWORK'],
    ['gate', 'server trial 0.0.0.0:49152',
      { server: { name: 'trial', addresses: some(/10\.77\.1\.1:49152/) } }],
    ['gate', 'server more 0.0.0.0:49160', 'ALREADY'],
    // Who starts a server is its administrator.
    ['gate', 'user gate gate-secret', { user: 'gate', created: true }, ['gate', 'login', { user: 'gate' }]],
    ['gate', 'self', { user: 'gate', group: 'admin' }],
    ['gate', 'quit'],
    ['gate', '$ ended', { status: 0 }],
    // The server of all that follows.
    ['root', '$ mail'],
    ['root', '$ PASSWORD=root-secret clchat -ls --name acme --user root --block-duration 30 --headless --smtp-url-file mail-url',
      { mode: 'server', user: 'root', server: { name: 'acme', id: keep('acme') } }],
    ['root', 'self', { user: 'root', group: 'admin' }],
    ['gate', '$ clchat', { mode: 'shell' }],
    ['gate', 'server trial 10.77.1.1:49152', 'PORT_IN_USE'],
    ['gate', 'connect 10.77.1.1:49199', 'NETWORK'],
    ['gate', 'quit'],
    // On another host the server is found by its name; no address is typed.
    ['alice', '$ clchat', { mode: 'shell' }],
    ['alice', 'connect 10.77.1.1', { server: { id: '{acme}', name: 'acme' } }],
    ['alice', 'quit'],
    ['alice', '$ clchat', { mode: 'shell' }],
    ['alice', 'connect acme', { server: { id: '{acme}' } }],
    ['alice', 'user a@b secret', 'BAD_NAME'],
    ['alice', 'user ROOT secret', 'NAME_TAKEN'],
    // With a letter of another script that looks like it.
    ['alice', 'user rоot secret', 'NAME_TAKEN "root"'],
    ['alice', 'user alice alice-secret', { user: 'alice', created: true },
      ['root', 'presence', { user: 'alice', online: true }]],
    ['alice', 'user other secret', 'ALREADY'],
    ['alice', 'self', { user: 'alice', group: 'user', server: { id: '{acme}', name: 'acme' } }],
    ['root', 'setusergroup alice admin', { user: 'alice', group: 'admin' },
      ['alice', 'group', { group: 'admin', state: 'set', user: 'alice' }]],
    // An unknown name is a new account.
    ['bob', '$ PASSWORD=bob-secret clchat -lc --user bob',
      { mode: 'client', user: 'bob', server: { id: '{acme}', connected: true } },
      ['alice root', 'presence', { user: 'bob', online: true }]],
    ['carol', '$ PASSWORD=carol-secret clchat -lc --user carol', { user: 'carol' }],
    // What is typed as a password reaches no file of the server.
    ['root', '$ grep alice-secret', { found: false }],
    ['root', '$ grep bob-secret', { found: false }],
  ],
};

// prettier-ignore
export const LOGINS: Scene = {
  title: 'logins, locks, passwords and devices',
  rows: [
    ['dave', '$ PASSWORD=dave-secret clchat -lc --user dave', { user: 'dave' }],
    ['dave', 'logout', {},
      ['dave', 'logout', { reason: 'logout' }],
      ['alice', 'presence', { user: 'dave', online: false }]],
    ['dave', 'logout', 'NOT_LOGGED_IN'],
    ['dave', 'login a:b secret', 'BAD_NAME'],
    ['dave', 'login dave dave-secret', { user: 'dave', created: false }, ['dave', 'login', { user: 'dave' }]],
    ['dave', 'login dave', 'ALREADY'],
    ['dave', 'passwd wrong new-secret', 'BAD_PASSWORD'],
    ['dave', 'passwd dave-secret new-secret', { user: 'dave' }],
    ['mallory', '$ PASSWORD=dave-secret clchat -lc --user dave', 'BAD_PASSWORD [3]'],
    ['mallory', '$ clchat --data shell', { mode: 'shell' }],
    ['mallory', 'connect acme', {}],
    ['mallory', 'login dave dave-secret', 'BAD_PASSWORD'],
    ['mallory', 'quit'],
    // Another device of the account; it is listed, revoked, and put out.
    ['mallory', '$ PASSWORD=new-secret clchat -lc --user dave', { user: 'dave' }],
    ['mallory', 'devices', { devices: some({ current: true, online: true, id: keep('lost') }) }],
    ['dave', 'devices', { devices: [{ online: true }, { online: true }] }],
    ['dave', 'revoke nothing', 'NO_SUCH_DEVICE'],
    ['dave', 'revoke {lost}', { device: '{lost}' }, ['mallory', 'logout', { reason: 'revoked' }]],
    ['mallory', 'say anything', 'NOT_LOGGED_IN'],
    ['mallory', 'login dave new-secret', 'REVOKED'],
    ['mallory', 'quit'],
    ['dave', 'devices', { devices: [{ current: true }] }],
    // A forgotten password.
    ['bob', 'resetpasswd dave', 'DENIED'],
    ['alice', 'resetpasswd nobody', 'NO_SUCH_USER'],
    ['alice', 'resetpasswd dave', { user: 'dave', code: keep('reset'), note: /only on devices/ }],
    ['mallory', '$ PASSWORD=third-secret clchat -lc --user dave --data fresh --code {reset}', { user: 'dave' }],
    ['mallory', 'quit'],
    ['mallory', '$ PASSWORD=third-secret clchat -lc --user dave --data fresh --code {reset}', 'BAD_CODE'],
    // Three wrong ones in a row lock the account, and end the client that was typed them.
    ['dave', 'passwd wrong x', 'BAD_PASSWORD'],
    ['dave', 'passwd wrong x', 'BAD_PASSWORD'],
    ['dave', 'passwd wrong x', 'BAD_PASSWORD', ['dave', 'locked', { user: 'dave' }]],
    ['dave', '$ ended', { status: 3 }],
    ['mallory', '$ PASSWORD=third-secret clchat -lc --user dave --data other', 'LOCKED [3]'],
    ['mallory', '$ clchat --data shell', { mode: 'shell' }],
    ['mallory', 'connect acme', {}],
    ['mallory', 'login dave third-secret', 'LOCKED'],
    ['mallory', 'quit'],
  ],
};

// prettier-ignore
export const INVITED: Scene = {
  title: 'a second server, by invitation only, which logs out who does nothing',
  rows: [
    ['gate', '$ clchat -ls --name gate --user gate --invite-only --headless --data strict',
      { mode: 'server', user: 'gate', server: { name: 'gate' } }],
    // Two are found now, and one has to be chosen.
    ['mallory', '$ clchat -lc --user gina --data two', 'AMBIGUOUS_SERVER [4]'],
    ['mallory', '$ clchat -lc --server gate --user gina --data two', 'NO_SUCH_USER [3]'],
    ['mallory', '$ clchat --data two', { mode: 'shell' }],
    ['mallory', 'connect gate', { server: { name: 'gate' } }],
    ['mallory', 'user gina gina-secret', 'CODE_REQUIRED'],
    ['mallory', 'login gina gina-secret', 'NO_SUCH_USER'],
    ['mallory', 'user gina --code WRONG gina-secret', 'BAD_CODE'],
    ['gate', 'invite', { code: keep('guest') }],
    ['mallory', 'user gina --code {guest} gina-secret', { user: 'gina', created: true },
      ['gate', 'code', { purpose: 'signup', state: 'redeemed', user: 'gina' }]],
    // Clients of different servers do not see each other, and one host can be at both.
    ['mallory', 'whoelse', { users: ['gate'] }],
    ['mallory', 'message alice hello', 'NO_SUCH_USER'],
    ['bob', 'message gina hello', 'NO_SUCH_USER'],
    ['gate', 'quit', {}, ['mallory', 'server', { connected: false }]],
    ['gate', '$ clchat -ls --name gate --user gate --timeout 3 --headless --data strict', { user: 'gate' },
      ['mallory', 'server', { connected: true }],
      ['mallory', 'logout', { reason: 'timeout' }]],
    ['mallory', 'say anything', 'NOT_LOGGED_IN'],
    ['mallory', 'quit'],
    ['gate', 'quit'],
    ['bob', 'whoelse', { users: none('gina') }],
  ],
};
