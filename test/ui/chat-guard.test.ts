import assert from 'node:assert/strict';
import fc from 'fast-check';
import { exposedCommand, withSlashes } from '../../lib/ui/chat-guard.ts';

describe('a line of chat', () => {
  it('is told from a command that would give something away', () => {
    for (const [line, command] of [
      ['passwd old new', 'passwd'],
      ['  Passwd new', 'passwd'],
      ['login bob hunter2', 'login'],
      ['user bob', 'user'],
      ['resetpasswd bob', 'resetpasswd'],
    ] as const)
      assert.equal(exposedCommand(line), command, line);
    for (const line of [
      '',
      'passwd',
      'passwd  ',
      'passwords are long',
      'message bob hi',
      'my login x',
    ])
      assert.equal(exposedCommand(line), undefined, line);
  });

  it('is not taken for a command where it speaks of rooms as people do', () => {
    const rooms = ['garden', 'garden/shed'];
    for (const [line, command] of [
      ['enter garden open sesame', 'enter'],
      ['enter #Garden/shed open sesame', 'enter'],
      ['room new-one hunter2', 'room'],
      ['createroom vault --password hunter2', 'createroom'],
    ] as const)
      assert.equal(exposedCommand(line, rooms), command, line);
    for (const line of [
      'enter the garden and wait',
      'room for improvement is here',
      'group hug',
      'enter garden',
      'rooms are full',
    ])
      assert.equal(exposedCommand(line, rooms), undefined, line);
  });

  it('may be anything', () => {
    fc.assert(fc.property(fc.string(), (line) => void exposedCommand(line)));
  });
});

describe('errors in chat mode', () => {
  it('name commands as they are typed there', () => {
    for (const [text, written] of [
      ['That is not understood. Try "help".', 'That is not understood. Try "/help".'],
      ['Use "login NAME".', 'Use "/login NAME".'],
      ['It is missing. Usage: message USER MESSAGE', 'It is missing. Usage: /message USER MESSAGE'],
      // Neither what somebody is called nor what is no command.
      ['There is no user "help".', 'There is no user "help".'],
      ['There is no command "hepl".', 'There is no command "hepl".'],
      ['There is no permission "kick".', 'There is no permission "kick".'],
      ['There is no group "code".', 'There is no group "code".'],
      ['Start "clchat --data DIR".', 'Start "clchat --data DIR".'],
    ] as const)
      assert.equal(withSlashes(text), written);
  });
});
