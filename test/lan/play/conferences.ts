/** Every rule of conferences. Bob is a contact of Alice and of Carol, who are none of each other. */
import { keep, type Scene } from './row.ts';

/** What somebody did in a conference. */
const change = (name: string, user: string, kind: string): Record<string, unknown> => ({
  name,
  change: { user, kind },
});
const ended = (name: string, reason: string): Record<string, unknown> => ({
  name,
  state: 'ended',
  reason,
});
/** Those that somebody sees, by name and who is in them. */
const seen = (...all: [name: string, ...participants: string[]][]): Record<string, unknown> => ({
  conferences: all.map(([name, ...participants]) => ({ name, participants })),
});
const into = (name: string, ...participants: string[]): Record<string, unknown> => ({
  conference: { name, participants },
});

// prettier-ignore
export const CONFERENCES: Scene = {
  title: 'conferences: begun, joined from a contact, renamed, given away, ended',
  rows: [
    ['carol', 'unfriend alice', {}, ['alice', 'unfriend', { user: 'carol' }]],
    ['alice', 'conference a/b', 'BAD_NAME'],
    ['alice', 'leaveconf', 'NOT_PARTICIPANT'],
    ['alice', 'renameconf x', 'NOT_PARTICIPANT'],
    ['alice', 'ownerconf bob', 'NOT_PARTICIPANT'],
    ['alice', 'endconf', 'NOT_PARTICIPANT'],
    ['alice', 'conference tea',
      { conference: { name: 'tea', owner: 'alice', state: 'active', participants: ['alice'], id: keep('tea') } },
      ['bob', 'conference', { ...change('tea', 'alice', 'joined'), id: '{tea}', owner: 'alice', state: 'active' }],
      ['bob', 'conference', { id: '{tea}', participants: ['alice'] }]],
    ['alice', 'conference TEA', 'NAME_CLASH'],
    ['bob', 'conferences', seen(['tea', 'alice'])],
    // Who is no contact of anybody in it neither sees nor joins it.
    ['carol', 'conferences', seen()],
    ['carol', 'joinconf alice', 'NOT_CONTACT'],
    ['carol', 'joinconf #{tea}', 'DENIED'],
    ['carol', 'joinconf nobody-here tea', 'NO_SUCH_USER'],
    ['bob', 'joinconf alice', into('tea', 'alice', 'bob'),
      ['alice', 'conference', { ...change('tea', 'bob', 'joined'), participants: ['alice', 'bob'] }],
      // A contact of his sees him there, and nobody else.
      ['carol', 'conference', { ...change('tea', 'bob', 'joined'), participants: ['bob'] }]],
    ['bob', 'joinconf alice', 'ALREADY'],
    ['carol', 'joinconf bob', into('tea', 'alice', 'bob', 'carol'),
      ['alice bob', 'conference', { ...change('tea', 'carol', 'joined'), participants: ['alice', 'bob', 'carol'] }]],
    // All of them have the key now, and nobody else.
    ['carol', 'say from carol', { room: 'tea' },
      ['alice bob', 'message', { room: 'tea', from: 'carol', text: 'from carol' }],
      ['root', '!message', { room: 'tea' }]],
    ['alice', 'say from alice', { room: 'tea' },
      ['bob carol', 'message', { room: 'tea', text: 'from alice' }]],
    ['root', '$ grep from carol', { found: false }],
    ['root', 'enter tea', 'NO_SUCH_ROOM'],
    ['bob', 'renameconf x', 'NOT_OWNER'],
    ['bob', 'ownerconf carol', 'NOT_OWNER'],
    ['bob', 'endconf', 'NOT_OWNER'],
    ['alice', 'renameconf tea', 'ALREADY'],
    ['alice', 'renameconf coffee', { conference: { name: 'coffee' }, before: 'tea' },
      ['bob carol', 'conference', change('coffee', 'alice', 'renamed')]],
    // A new owner has to be in it.
    ['alice', 'ownerconf root', 'NOT_PARTICIPANT'],
    ['alice', 'ownerconf nobody-here', 'NO_SUCH_USER'],
    ['alice', 'ownerconf alice', 'ALREADY'],
    ['alice', 'ownerconf bob', { conference: { owner: 'bob' } },
      ['bob carol', 'conference', { ...change('coffee', 'bob', 'owner'), owner: 'bob' }]],
    ['alice', 'endconf', 'NOT_OWNER'],
    ['alice', 'leaveconf', {},
      ['bob carol', 'conference', { ...change('coffee', 'alice', 'left'), participants: ['bob', 'carol'] }]],
    ['alice', 'say at the top', { room: 'lobby' }],
    ['bob', 'endconf', { conference: { state: 'ended' } },
      ['carol', 'conference', ended('coffee', 'ended by its owner')],
      ['alice', 'conference', { name: 'coffee', state: 'ended' }]],
    // What was meant for the conference is not said elsewhere unawares.
    ['carol', 'say at the top', 'NOT_IN_ROOM #coffee is gone'],
    ['carol', 'say at the top', { room: 'lobby' }],
    ['alice bob carol', 'conferences', seen()],
    ['bob', 'enter coffee', 'NO_SUCH_ROOM'],
  ],
};

// prettier-ignore
export const SEVERAL: Scene = {
  title: 'conferences: several of one contact, and never two of one name',
  rows: [
    ['alice', 'conference tea', {}, ['bob', 'conference', { name: 'tea', id: keep('of-alice') }]],
    ['bob', 'conference tea', {}],
    ['bob', 'joinconf alice', 'NAME_CLASH'],
    ['bob', 'joinconf alice tea', 'NAME_CLASH'],
    ['alice', 'conference cake', {}, ['bob', 'conference', { name: 'cake' }]],
    ['alice', 'renameconf tea', 'NAME_CLASH'],
    ['bob', 'joinconf alice cake', into('cake', 'alice', 'bob')],
    ['carol', 'joinconf bob', 'AMBIGUOUS cake'],
    ['carol', 'joinconf bob', 'AMBIGUOUS tea'],
    ['carol', 'joinconf', 'AMBIGUOUS'],
    ['carol', 'joinconf bob milk', 'NO_SUCH_ROOM'],
    ['carol', 'joinconf bob "no name at all"', 'NO_SUCH_ROOM'],
    ['carol', 'leaveconf no name at all', 'NO_SUCH_ROOM'],
    ['carol', 'joinconf bob CAKE', into('cake', 'alice', 'bob', 'carol')],
    ['carol', 'joinconf @bob', into('tea', 'bob', 'carol')],
    ['carol', 'joinconf bob', 'ALREADY'],
    ['carol', 'leave', {}],
    ['carol', 'leave', {}],
    ['carol', 'leaveconf', 'AMBIGUOUS'],
    ['carol', 'leaveconf tea', {}, ['bob', 'conference', change('tea', 'carol', 'left')]],
    // An owner who leaves ends it, and all are told.
    ['alice', 'leaveconf cake', {}, ['bob carol', 'conference', ended('cake', 'owner left')]],
    ['carol', 'conferences', seen(['tea', 'bob'])],
    ['carol', 'leaveconf', 'NOT_PARTICIPANT'],
    // The last who leaves ends it as well.
    ['bob', 'leaveconf tea', {}, ['carol', 'conference', { name: 'tea', state: 'ended' }]],
    ['alice', 'leaveconf tea', {}, ['bob', 'conference', ended('tea', 'empty')]],
    // So does an owner who logs out, and one who ends the program.
    ['alice', 'conference tea', {}],
    ['bob', 'joinconf alice', into('tea', 'alice', 'bob')],
    ['alice', 'logout', {}, ['bob', 'conference', ended('tea', 'owner left')]],
    ['alice', 'login alice', {}],
    ['alice bob carol', 'conferences', seen()],
    ['alice', 'conference tea', {}],
    ['bob', 'joinconf alice', into('tea', 'alice', 'bob')],
    ['alice', 'quit', {}, ['bob', 'conference', ended('tea', 'owner left')]],
    ['alice', '$ clchat -lc', { user: 'alice' }],
    ['bob', 'conferences', seen()],
  ],
};

// prettier-ignore
export const ADMITTED: Scene = {
  title: 'conferences: passwords, invitations, the lobby, and one account on two devices',
  rows: [
    ['alice', 'conference den open-door', { conference: { id: keep('den') } }],
    ['carol', 'joinconf den', 'NO_SUCH_ROOM'],
    ['carol', 'joinconf #{den}', 'DENIED'],
    ['carol', 'joinconf #{den} --password wrong', 'BAD_PASSWORD'],
    ['carol', 'joinconf den --password open-door', into('den', 'alice', 'carol'),
      ['alice', 'conference', change('den', 'carol', 'joined')]],
    ['carol', 'inviteconf carol', 'SELF'],
    ['carol', 'inviteconf alice', 'ALREADY'],
    ['carol', 'inviteconf root', {},
      ['root', 'conference', { ...change('den', 'carol', 'invited'), id: '{den}' }]],
    ['root', 'joinconf', into('den', 'alice', 'carol', 'root'),
      ['alice carol', 'conference', change('den', 'root', 'joined')]],
    ['root', 'say by invitation', { room: 'den' },
      ['alice carol', 'message', { room: 'den', text: 'by invitation' }]],
    ['alice', 'kick root', {}, ['root', 'conference', change('den', 'root', 'kicked')]],
    ['alice', 'say without root', { room: 'den' },
      ['carol', 'message', { text: 'without root' }],
      ['root', '!message', { room: 'den' }]],
    // What becomes of contacts throws nobody out, but lets nobody in any more.
    ['bob', 'joinconf alice', into('den', 'alice', 'carol', 'bob')],
    ['bob', 'unfriend alice', {}, ['alice', 'unfriend', { user: 'bob' }]],
    ['bob', 'say still here', { room: 'den' }, ['alice', 'message', { text: 'still here' }]],
    ['bob', 'leaveconf', {}],
    ['bob', 'joinconf alice', 'NOT_CONTACT'],
    ['alice', 'request bob', { state: 'pending' }, ['bob', 'request']],
    ['bob', 'accept alice', {}, ['alice', 'contact', { user: 'bob' }]],
    // One device of an account, unless it asks for more.
    ['phone', '$ PASSWORD=alice-secret clchat -lc --user alice', { user: 'alice' }],
    ['phone', 'joinconf den', 'ALREADY --device'],
    ['phone', 'joinconf den --device', into('den', 'alice', 'carol')],
    ['phone', 'joinconf den --device', 'ALREADY'],
    ['phone', 'say from the phone', { room: 'den' },
      ['alice carol', 'message', { from: 'alice', text: 'from the phone' }]],
    ['phone', 'leaveconf', {}, ['carol', '!conference', change('den', 'alice', 'left')]],
    ['carol', 'conferences', { conferences: [{ name: 'den', participants: ['alice', 'carol'], here: true }] }],
    ['phone', 'quit'],
    ['alice', 'endconf', {}, ['carol', 'conference', ended('den', 'ended by its owner')]],
    // The lobby's is everybody's and nobody's.
    ['carol', 'joinconf #lobby', { conference: { id: 'lobby', owner: undefined, participants: ['carol'] } }],
    ['root', 'joinconf #lobby', into('lobby', 'carol', 'root'),
      ['carol', 'conference', change('lobby', 'root', 'joined')]],
    ['root', 'endconf', 'NOT_OWNER'],
    ['root', 'renameconf x', 'NOT_OWNER'],
    ['root carol', 'leaveconf'],
  ],
};

// prettier-ignore
export const GRACE: Scene = {
  title: 'conferences: an owner whose cable is pulled has 30 seconds',
  rows: [
    ['alice', 'conference back', {}],
    ['bob', 'joinconf alice', into('back', 'alice', 'bob')],
    ['carol', 'joinconf bob', into('back', 'alice', 'bob', 'carol')],
    ['carol', 'conference gone', {}],
    ['bob', 'joinconf carol gone', into('gone', 'carol', 'bob')],
    ['carol', '$ unplug'],
    ['alice', '$ unplug', {},
      ['bob', 'conference', { ...change('gone', 'carol', 'lost'), state: 'waiting', away: ['carol'] }],
      ['bob', 'conference', { name: 'gone', participants: ['carol', 'bob'] }],
      ['bob', 'conference', { ...change('back', 'alice', 'lost'), state: 'waiting' }]],
    ['alice', '$ plug', {}, ['bob', 'conference', { ...change('back', 'alice', 'back'), state: 'active' }]],
    ['alice', 'say here again', { room: 'back' }, ['bob', 'message', { room: 'back', text: 'here again' }]],
    ['bob', '$ sleep 1', {}, ['bob', 'conference', ended('gone', 'owner lost')]],
    ['bob', 'conferences', seen(['back', 'alice', 'bob'])],
    ['carol', '$ plug', {}, ['carol', 'server', { connected: true }]],
    ['carol', 'conferences', seen(['back', 'bob'])],
    ['alice', 'endconf', {}, ['bob', 'conference', ended('back', 'ended by its owner')]],
  ],
};
