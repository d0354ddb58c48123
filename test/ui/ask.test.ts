import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ClchatError } from '../../lib/errors.ts';
import { askOver, type Answering } from '../../lib/ui/ask.ts';

/** Somebody who gives these answers, one after another, and then breaks off. */
class Person implements Answering {
  readonly questions: string[] = [];
  readonly hidden: boolean[] = [];
  readonly printed: string[] = [];
  readonly #answers: string[];

  constructor(...answers: string[]) {
    this.#answers = answers;
  }

  async read(question: string, hidden: boolean): Promise<string> {
    this.questions.push(question);
    this.hidden.push(hidden);
    const answer = this.#answers.shift();
    if (answer === undefined) throw new ClchatError('INTERRUPTED');
    return answer;
  }

  print(text: string): void {
    this.printed.push(text);
  }
}

const HOSTILE = 'ac\u001b[2Jme\u202e\u0007';

describe('questions', () => {
  it('take a line without the spaces around it, and the default for an empty one', async () => {
    const person = new Person(' zoe ', '  ', '', 'mine');
    const ask = askOver(person);
    assert.equal(await ask.line('Your name'), 'zoe');
    assert.equal(await ask.line('Your name'), '');
    assert.equal(await ask.line('Server', 'acme'), 'acme');
    assert.equal(await ask.line('Server', 'acme'), 'mine');
    assert.deepEqual(person.questions, [
      'Your name: ',
      'Your name: ',
      'Server [acme]: ',
      'Server [acme]: ',
    ]);
  });

  it('take a secret unseen and as it is, and everything else seen', async () => {
    const person = new Person(' two words ', '', 'x', 'y', '1');
    const ask = askOver(person);
    assert.equal(await ask.secret('Password'), ' two words ');
    assert.equal(await ask.secret('Password'), '');
    await ask.line('Line');
    await ask.confirm('Sure?', true);
    await ask.choose('Which', ['one']);
    assert.deepEqual(person.hidden, [true, true, false, false, false]);
  });

  it('take yes and no however they are written, and the default for an empty line', async () => {
    for (const [answer, meant] of [
      ['y', true],
      [' YES ', true],
      ['n', false],
      ['No', false],
    ] as const)
      for (const fallback of [true, false])
        assert.equal(await askOver(new Person(answer)).confirm('Sure?', fallback), meant);
    const person = new Person('', '');
    assert.equal(await askOver(person).confirm('Sure?', true), true);
    assert.equal(await askOver(person).confirm('Sure?', false), false);
    assert.deepEqual(person.questions, ['Sure? [Y/n] ', 'Sure? [y/N] ']);
  });

  it('are put again for an answer that is neither yes nor no', async () => {
    const person = new Person('maybe', 'yes please', 'ye', 'n');
    assert.equal(await askOver(person).confirm('Sure?', true), false);
    assert.equal(person.questions.length, 4);
    assert.deepEqual(person.printed, Array(3).fill('Please answer "yes" or "no".'));
  });

  it('list what there is to choose from, by numbers', async () => {
    const person = new Person(' 2 ');
    assert.equal(await askOver(person).choose('Which server?', ['acme', 'zoo', 'x']), 1);
    assert.deepEqual(person.printed, ['  1  acme\n  2  zoo\n  3  x']);
    assert.deepEqual(person.questions, ['Which server? [1-3] ']);
  });

  it('are put again until one of the numbers is given', async () => {
    const wrong = [
      '',
      '0',
      '3',
      '-1',
      '1.5',
      '1e0',
      '0x1',
      'acm',
      '１',
      '1 2',
      '99999999999999999',
    ];
    const person = new Person(...wrong, '1');
    assert.equal(await askOver(person).choose('Which?', ['acme', 'b']), 0);
    assert.equal(person.questions.length, wrong.length + 1);
    assert.equal(person.printed.at(-1), 'Please answer with a number from 1 to 2, or with a name.');
  });

  it('take a name for the number, where it is that of one option only', async () => {
    const options = ['acme (10.0.0.1:49152)', 'vm (10.0.0.2:49152)', 'two', 'vm (10.0.0.3:1)'];
    assert.equal(await askOver(new Person('ACME')).choose('Which?', options), 0);
    assert.equal(await askOver(new Person('vm', 'two')).choose('Which?', options), 2);
    assert.equal(await askOver(new Person('vm (10.0.0.3:1)')).choose('Which?', options), 3);
  });

  it('never give an index that is none, whatever is answered', async () => {
    const answer = fc.oneof(fc.string(), fc.integer({ min: -2, max: 12 }).map(String));
    await fc.assert(
      fc.asyncProperty(fc.array(answer), fc.integer({ min: 1, max: 9 }), async (answers, count) => {
        const options = Array.from({ length: count }, (_, i) => `option ${i}`);
        try {
          const chosen = await askOver(new Person(...answers)).choose('Which?', options);
          assert.ok(options[chosen] !== undefined, `${chosen}`);
        } catch (error) {
          assert.ok(error instanceof ClchatError && error.code === 'INTERRUPTED', String(error));
        }
      }),
    );
  });

  it('show nothing of a name but its text, and give it back as it is', async () => {
    const person = new Person('', 'y', '1', 'x');
    const ask = askOver(person);
    assert.equal(await ask.line(HOSTILE, HOSTILE), HOSTILE);
    await ask.confirm(HOSTILE, true);
    await ask.choose(HOSTILE, [HOSTILE]);
    await ask.secret(HOSTILE);
    assert.deepEqual(person.questions, ['acme [acme]: ', 'acme [Y/n] ', 'acme [1-1] ', 'acme: ']);
    assert.deepEqual(person.printed, ['  1  acme']);
  });

  it('wait for one another, and one that is broken off stops none of the rest', async () => {
    const open: { question: string; answer: (text: string) => void; breakOff: () => void }[] = [];
    const ask = askOver({
      read: (question) =>
        new Promise((answer, reject) => {
          open.push({ question, answer, breakOff: () => reject(new ClchatError('INTERRUPTED')) });
        }),
      print: () => undefined,
    });
    const name = ask.line('Name');
    const secret = ask.secret('Password');
    const sure = ask.confirm('Sure?', false);
    const next = async (): Promise<(typeof open)[number]> => {
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(open.length, 1, 'one question at a time');
      return open.pop()!;
    };
    const first = await next();
    assert.equal(first.question, 'Name: ');
    first.breakOff();
    await assert.rejects(name, { code: 'INTERRUPTED' });
    const second = await next();
    assert.equal(second.question, 'Password: ');
    second.answer('x');
    assert.equal(await secret, 'x');
    const third = await next();
    third.answer('maybe');
    (await next()).answer('yes');
    assert.equal(await sure, true);
  });
});
