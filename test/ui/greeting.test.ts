/** The first line of line mode; that it is printed is in line-mode.test.ts. */
import assert from 'node:assert/strict';
import { greeting } from '../../lib/ui/greeting.ts';

describe('the greeting', () => {
  const server = { id: 'Qm', name: 'ac\u001b[1mme', addresses: [], connected: true };

  it('says who and where one is', () => {
    const status = { mode: 'client', server, user: 'al\u202eice', conversation: '#lobby' } as const;
    assert.equal(
      greeting(status, true),
      'You are alice on acme, in #lobby. "/help" lists the commands.',
    );
    // Where lines are commands no conversation is the one that they go to.
    assert.equal(greeting(status, false), 'You are alice on acme. "help" lists the commands.');
  });

  it('says how a server is found where there is none yet', () => {
    assert.match(
      greeting({ mode: 'shell' }, false),
      /^You are not logged in\. "connect IP:PORT" .* starts one\. "help" lists the commands\.$/,
    );
    assert.equal(
      greeting({ mode: 'client', server }, false),
      'You are not logged in. "help" lists the commands.',
    );
  });
});
