import assert from 'node:assert/strict';
import type { MessageView, Progress } from '../../lib/app/types.ts';
import { OwnMessages } from '../../lib/ui/own-messages.ts';

/** A printed line that keeps every mark it was given. */
class Line {
  readonly marks: string[] = [];
  update(mark: string): void {
    this.marks.push(mark);
  }
}

const show = ({ state, on, of }: Progress): string =>
  on === undefined ? state : `${state} ${on}/${of}`;
const view = (id: string, text: string, where: { to: string } | { room: string }): MessageView => ({
  id,
  from: 'alice',
  ...where,
  text,
  time: 0,
  mine: true,
});

describe('own messages', () => {
  const lobby = { room: 'lobby' };
  let own: OwnMessages;
  let line: Line;
  beforeEach(() => {
    own = new OwnMessages(show);
    line = new Line();
  });

  it('have a mark that follows them from the answer to the last device', () => {
    const sent = own.sent(view('', 'hello', lobby), line);
    assert.deepEqual(line.marks, []);
    own.accepted(sent, 'm1', { state: 'held' });
    assert.equal(own.progressed('m1', { state: 'held', on: 1, of: 2 }), 'hello');
    own.progressed('m1', { state: 'held', on: 2, of: 2 });
    assert.deepEqual(line.marks, ['held', 'held 1/2', 'held 2/2']);
  });

  it('are marked when the App refuses them, and belong to no later message', () => {
    const sent = own.sent(view('', 'hello', lobby), line);
    own.rejected(sent);
    assert.deepEqual(line.marks, ['refused']);
    assert.equal(own.appeared(view('m1', 'hello', lobby)), false);
  });

  it('show a receipt that overtook the answer, and not the answer', () => {
    const sent = own.sent(view('', 'hello', lobby), line);
    assert.equal(own.progressed('m1', { state: 'held', on: 2, of: 2 }), undefined);
    own.accepted(sent, 'm1', { state: 'sending' });
    assert.deepEqual(line.marks, ['held 2/2']);
    // It was used up: nothing of it comes back.
    own.accepted(sent, 'm1', { state: 'held' });
    assert.deepEqual(line.marks, ['held 2/2']);
  });

  it('are known by their id, and not by what they say', () => {
    const sent = own.sent(view('', 'ok', lobby), line);
    assert.equal(own.appeared(view('m1', 'ok', lobby)), false, 'another device says the same');
    assert.deepEqual(line.marks, []);
    own.accepted(sent, 'm2', { state: 'held' });
    assert.equal(own.appeared(view('m2', 'ok', lobby)), true);
    assert.equal(own.appeared(view('m1', 'ok', lobby)), false);
  });

  it('of another device are followed by their id', () => {
    own.follow(view('m1', 'from the desk', lobby), line);
    assert.deepEqual(line.marks, []);
    assert.equal(own.progressed('m1', { state: 'held', on: 1, of: 1 }), 'from the desk');
    assert.deepEqual(line.marks, ['held 1/1']);
    const late = new Line();
    own.progressed('m2', { state: 'held', on: 3, of: 3 });
    own.follow(view('m2', 'late', lobby), late);
    assert.deepEqual(late.marks, ['held 3/3']);
  });

  it('are followed in a bounded number, the newest', () => {
    const lines = Array.from({ length: 600 }, () => new Line());
    lines.forEach((one, n) => {
      own.accepted(own.sent(view('', `${n}`, lobby), one), `m${n}`, { state: 'held' });
    });
    assert.equal(own.progressed('m0', { state: 'held', on: 1, of: 1 }), undefined);
    assert.equal(own.progressed('m599', { state: 'held', on: 1, of: 1 }), '599');
    assert.deepEqual([lines[0]?.marks, lines[599]?.marks], [['held'], ['held', 'held 1/1']]);
  });

  it('keep a bounded number of receipts that nobody has asked for', () => {
    for (let n = 0; n < 600; n++) own.progressed(`m${n}`, { state: 'held', on: 1, of: 1 });
    own.accepted(own.sent(view('', 'old', lobby), line), 'm0', { state: 'sending' });
    assert.deepEqual(line.marks, ['sending']);
    const newer = new Line();
    own.accepted(own.sent(view('', 'new', lobby), newer), 'm599', { state: 'sending' });
    assert.deepEqual(newer.marks, ['held 1/1']);
  });
});
