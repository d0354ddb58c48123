import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ClchatError, type ErrorCode } from '../../lib/errors.ts';
import { COMMANDS, COMMAND_WORDS, commandOf, GROUPS, usageOf } from '../../lib/ui/commands.ts';
import { isSecretLine, maskSecrets, parse, scan, suggest } from '../../lib/ui/parse.ts';

function refusal(line: string): ClchatError {
  try {
    parse(line);
  } catch (error) {
    assert.ok(error instanceof ClchatError, String(error));
    return error;
  }
  throw new Error(`"${line}" was accepted`);
}

function refused(line: string, code: ErrorCode, text?: RegExp): void {
  const error = refusal(line);
  assert.equal(error.code, code);
  if (text !== undefined) assert.match(error.message, text);
}

describe('command table', () => {
  it('names every command and alias once, and says what each is for', () => {
    assert.equal(new Set(COMMAND_WORDS).size, COMMAND_WORDS.length);
    for (const command of COMMANDS) {
      assert.match(command.name, /^[a-z]+$/);
      assert.ok(Object.hasOwn(GROUPS, command.group));
      assert.match(command.summary, /^[a-z].*[^.]$/);
      assert.ok(command.help === undefined || command.help.endsWith('.'));
      const names = [...(command.arguments ?? []), ...(command.flags ?? [])].map((one) => one.name);
      assert.equal(new Set(names).size, names.length, command.name);
    }
  });

  it('has every argument that is required before those that are not', () => {
    for (const command of COMMANDS) {
      // One that is told by its sign stands wherever it likes.
      const unsigned = (command.arguments ?? []).filter(({ signed }) => signed !== true);
      const optional = unsigned.map((argument) => argument.optional === true);
      assert.deepEqual(optional, [...optional].sort(), command.name);
    }
  });

  it('has examples that can be parsed', () => {
    for (const command of COMMANDS)
      for (const example of command.examples ?? [])
        assert.equal(parse(example).name, command.name, example);
  });

  it('marks every command that takes a secret', () => {
    for (const command of COMMANDS)
      if (command.arguments?.some((argument) => argument.kind === 'secret') === true)
        assert.equal(command.secret, true, command.name);
  });
});

describe('parse', () => {
  it('takes a command, in any case, by an alias, with a slash', () => {
    assert.deepEqual(parse('whoelse'), { name: 'whoelse', args: {} });
    assert.deepEqual(parse('  /WhoElse  '), { name: 'whoelse', args: {} });
    assert.deepEqual(parse('msg bob hi'), {
      name: 'message',
      args: { user: 'bob', message: 'hi' },
    });
  });

  it('gives the last argument the rest of the line as it is', () => {
    assert.equal(parse('say  two  "words" \\n ').args['text'], ' two  "words" \\n ');
    assert.equal(parse('message bob @carol #x').args['message'], '@carol #x');
    assert.equal(parse('backup my file.bin ').args['file'], 'my file.bin');
    assert.equal(parse('say first\nsecond').args['text'], 'first\nsecond');
    assert.equal(parse('message bob\tx').args['message'], 'x');
  });

  it('takes a conversation before a file by its sign only, and flags around both', () => {
    const args = (line: string): Record<string, string> => parse(line).args;
    assert.deepEqual(args('export out.txt'), { file: 'out.txt' });
    assert.deepEqual(args('export 2026'), { file: '2026' });
    assert.deepEqual(args('export @bob out.txt'), { conversation: '@bob', file: 'out.txt' });
    const all = { conversation: '#a/b', file: 'my out.txt', format: 'json' };
    assert.deepEqual(args('export #a/b "my out.txt" --format json'), all);
    assert.deepEqual(args('export --format json #a/b "my out.txt"'), all);
    assert.deepEqual(args('export out.txt --format text'), { file: 'out.txt', format: 'text' });
    for (const line of ['export', 'export #lobby', 'export my out.txt', 'export a --format'])
      assert.throws(() => parse(line), { code: 'USAGE' }, line);
  });

  it('takes prefixes and quotes of names', () => {
    assert.equal(parse('message @bob hi').args['user'], 'bob');
    assert.equal(parse('block @bob').args['user'], 'bob');
    assert.equal(parse('message "@b \\"o\\\\b" hi').args['user'], 'b "o\\b');
    assert.equal(parse('message "bob hi').args['user'], '"bob');
    assert.equal(parse('message Zoe\u0308 hi').args['user'], 'Zoë');
  });

  it('leaves out the optional arguments that are not there', () => {
    assert.deepEqual(parse('history').args, {});
    assert.deepEqual(parse('history 5').args, { count: '5' });
    assert.deepEqual(parse('history @bob').args, { conversation: '@bob' });
    assert.deepEqual(parse('history #lobby 007').args, { conversation: '#lobby', count: '7' });
    assert.deepEqual(parse('passwd next').args, { new: 'next' });
    assert.deepEqual(parse('passwd last next one').args, { old: 'last', new: 'next one' });
    assert.deepEqual(parse('passwd "the last" next').args, { old: 'the last', new: 'next' });
    assert.deepEqual(parse('settings bell off').args, { name: 'bell', value: 'off' });
    assert.deepEqual(parse('voice').args, {});
    assert.deepEqual(parse('voice activity -40').args, { mode: 'activity', decibels: '-40' });
    // What a level is for is not to be guessed.
    for (const line of ['voice -40', 'voice loud'])
      refused(line, 'USAGE', /none of open, activity, push/);
  });

  it('takes flags after a last argument that is one word', () => {
    const ban = { user: 'bob', seconds: '60', server: 'true' };
    for (const line of ['ban bob 60 --server', 'ban bob --server 60', 'ban --server @bob 60'])
      assert.deepEqual(parse(line).args, ban, line);
    assert.deepEqual(parse('kick bob --server').args, { user: 'bob', server: 'true' });
    assert.deepEqual(parse('updateuser bob --display "Bob B" --name rob').args, {
      user: 'bob',
      display: 'Bob B',
      name: 'rob',
    });
    refused('kick bob --server now', 'USAGE', /too much/);
    refused('updateuser bob --name', 'USAGE', /--name needs a value/);
    // What is not shown is understood all the same.
    assert.deepEqual(parse('removeuser bob --withvengeance').args, {
      user: 'bob',
      withvengeance: 'true',
    });
    const command = commandOf('removeuser');
    assert.equal(command && usageOf(command), 'removeuser USER [--withvengence]');
  });

  it('takes flags before the last argument', () => {
    assert.deepEqual(parse('login alice --code 7K').args, { username: 'alice', code: '7K' });
    assert.deepEqual(parse('login --code 7K alice').args, { username: 'alice', code: '7K' });
    assert.deepEqual(parse('login alice --code 7K new word').args, {
      username: 'alice',
      code: '7K',
      password: 'new word',
    });
    assert.deepEqual(parse('login alice --codes').args, { username: 'alice', password: '--codes' });
    refused('login alice --code', 'USAGE', /--code needs a value/);
  });

  it('refuses with the usage', () => {
    refused('message bob', 'USAGE', /MESSAGE is missing\. Usage: message USER MESSAGE/);
    refused('message bob  ', 'USAGE');
    refused('message "" hi', 'USAGE', /USER is missing/);
    refused('whoelse now', 'USAGE', /takes no arguments/);
    refused('whoelsesince soon', 'USAGE', /SECONDS is a whole number, not "soon"/);
    refused('whoelsesince -5', 'USAGE');
    refused('whoelsesince 9999999999999999', 'USAGE');
    refused('history @bob 5 6', 'USAGE');
    refused('mode sideways', 'USAGE', /none of chat, command/);
    refused('settings bel', 'USAGE', /"bel" is none of colours, bell, time/);
    refused('', 'USAGE');
    refused('/', 'USAGE');
  });

  it('bounds what it takes', () => {
    assert.equal(parse(`say ${'x'.repeat(16 * 1024)}`).args['text']?.length, 16 * 1024);
    refused(`say ${'x'.repeat(16 * 1024 + 1)}`, 'TOO_LARGE');
    refused(`say ${'é'.repeat(8 * 1024 + 1)}`, 'TOO_LARGE');
    refused(`block ${'x'.repeat(5000)}`, 'TOO_LARGE');
    refused('x'.repeat(70_000), 'TOO_LARGE');
  });

  it('suggests what may have been meant', () => {
    refused('whoesle', 'USAGE', /Did you mean "whoelse"\?/);
    refused('mesage bob hi', 'USAGE', /Did you mean "message"\?/);
    refused('hist', 'USAGE', /Did you mean "history"\?/);
    refused('xyzzy', 'USAGE', /Try "help"/);
    assert.equal(suggest('qiut'), 'quit');
    assert.equal(suggest('x'.repeat(10_000)), undefined);
  });

  it('says what is wrong with a slash that stands alone', () => {
    assert.throws(() => parse('/ message bob hi'), {
      message: /follows the slash without a space/,
    });
    assert.throws(() => parse('  '), { message: /An empty line/ });
  });

  it('shows nothing of a refused line that could harm a terminal', () => {
    assert.equal(/[\u001b\u202e]/.test(refusal('\u001b[2Jx\u202e').message), false);
    assert.ok(refusal('x'.repeat(60_000)).message.length < 200);
  });

  it('never throws anything else, whatever is typed', () => {
    const words = fc.constantFrom(...COMMAND_WORDS, '"', '\\', '--code', '@', '#', ' ', '/', '\n');
    const line = fc.array(fc.oneof(words, fc.string({ unit: 'binary' })), { maxLength: 12 });
    fc.assert(
      fc.property(line, fc.constantFrom('', ' '), (parts, glue) => {
        const text = parts.join(glue);
        try {
          const call = parse(text);
          assert.ok(commandOf(call.name) !== undefined);
        } catch (error) {
          assert.ok(error instanceof ClchatError);
          assert.ok(error.code === 'USAGE' || error.code === 'TOO_LARGE');
        }
        const { parts: scanned } = scan(text);
        for (const part of scanned) assert.ok(part.start <= part.end && part.end <= text.length);
        maskSecrets(text);
      }),
      { numRuns: 500 },
    );
  });

  it('gives back what a line was made of', () => {
    const text = fc
      .string({ minLength: 1, unit: 'grapheme' })
      .filter((value) => value.trim() !== '');
    fc.assert(
      fc.property(text, (value) => {
        assert.equal(parse(`say ${value}`).args['text'], value);
        assert.equal(parse(`message bob ${value}`).args['message'], value);
      }),
    );
  });
});

describe('secrets in lines', () => {
  it('are known also when the command is mistyped', () => {
    for (const line of [
      'login bob pw',
      '/login bob pw',
      'LOGIN bob',
      'user x y',
      'passwd a b',
      'logni bob pw',
      'paswd a',
    ])
      assert.equal(isSecretLine(line), true, line);
    for (const line of ['say login', 'whoelse', 'message bob my password', ''])
      assert.equal(isSecretLine(line), false, line);
  });

  it('are replaced where the line is shown again', () => {
    assert.equal(maskSecrets('login bob my pw'), 'login bob ****');
    assert.equal(maskSecrets('/passwd old new one'), '/passwd **** ****');
    assert.equal(maskSecrets('passwd new'), 'passwd ****');
    assert.equal(maskSecrets('login bob --code X1 pw'), 'login bob --code **** ****');
    assert.equal(maskSecrets('logni bob pw'), 'logni');
    assert.equal(maskSecrets('say passwd a b'), 'say passwd a b');
  });
});

describe('usage lines', () => {
  it('read as people expect', () => {
    const usage = (name: string): string => usageOf(commandOf(name) ?? assert.fail(name));
    assert.equal(usage('history'), 'history [@USER|#ROOM] [COUNT]');
    assert.equal(usage('login'), 'login USERNAME [PASSWORD] [--code CODE]');
    assert.equal(usage('mode'), 'mode [chat|command]');
    assert.equal(usage('server'), 'server SERVERNAME IP:PORT');
  });
});
