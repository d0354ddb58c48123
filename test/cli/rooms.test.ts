/** Rooms, by the real program: made, entered, left, nested, closed and ended by three people. */
import assert from 'node:assert/strict';
import { eventually } from '../support/channels.ts';
import type { Cli, Data } from '../support/cli.ts';
import { workshop } from '../support/workshop.ts';

interface Room {
  readonly room: string;
  readonly members?: string[];
  readonly joined: boolean;
  readonly entered: boolean;
  readonly encrypted: boolean;
  readonly password: boolean;
  readonly media: string;
  readonly owner: string | null;
  readonly lifetime: string;
}

interface Node {
  readonly name: string;
  readonly path: string;
  readonly members: string[];
  readonly children: Node[];
}

describe('rooms', function () {
  this.timeout(90_000);
  const shop = workshop();
  let address: string;
  let root: Cli;
  let ann: Cli;
  let ben: Cli;
  let cat: Cli;

  before(async () => {
    const community = await shop.server({ name: 'house' });
    address = community.address;
    root = community.cli;
    [ann, ben, cat] = await shop.clients(address, ['ann', 'ben', 'cat']);
  });

  const rooms = async (cli: Cli): Promise<Room[]> => (await cli.ok('rooms'))['rooms'] as Room[];
  const room = async (cli: Cli, path: string): Promise<Room | undefined> =>
    (await rooms(cli)).find((one) => one.room === path);
  const members = async (cli: Cli, path: string): Promise<string[] | undefined> =>
    (await room(cli, path))?.members;
  /** Waits until somebody knows that exactly these are in a room. */
  const sees = (cli: Cli, path: string, ...names: string[]): Promise<void> =>
    eventually(`${names.join()} in ${path}`, async () => {
      return (await members(cli, path))?.join() === names.join();
    });
  const tree = async (cli: Cli): Promise<Node> => (await cli.ok('structure'))['structure'] as Node;
  const texts = async (cli: Cli, path: string): Promise<string[]> =>
    ((await cli.ok(`history #${path}`)).messages ?? []).map(({ text }) => text);
  /** A command that must be refused. @returns the code and the text */
  const why = async (cli: Cli, line: string): Promise<string> => {
    const { ok, code, text } = await cli.ask(line);
    assert.equal(ok, false, `"${line}" was not refused`);
    return `${code}: ${text}`;
  };

  it('are made, or joined where they are; what is said in one is heard there', async () => {
    const made: Data = await ann.ok('room garden');
    assert.deepEqual([made['room'], made.created, made['encrypted']], ['garden', true, false]);
    await ben.event('room', { room: 'garden', state: 'created', by: 'ann' });
    assert.equal((await ben.ok('room garden')).created, false);
    await ann.event('member', { room: 'garden', user: 'ben', state: 'joined' });
    await sees(cat, 'garden', 'ann', 'ben');
    assert.equal((await ben.ok('enter garden'))['joined'], false);
    await ben.ok('say hello there');
    await ann.event('message', { from: 'ben', room: 'garden', text: 'hello there' });
    assert.equal(await ben.refused('request ben'), 'SELF');
    assert.deepEqual(await texts(ben, 'garden'), ['hello there']);
    assert.deepEqual(cat.texts({ room: 'garden' }), []);
    // The name is taken in any case, and for whatever looks like it.
    assert.equal((await cat.ok('room GARDEN')).created, false);
    assert.match(await why(cat, 'room garԁen'), /^NAME_TAKEN: .* looks like the room "garden"/);
    assert.equal(await cat.refused('room every@body'), 'BAD_NAME');
    assert.equal(await cat.refused('room everybody'), 'BAD_NAME');
    assert.equal(await cat.refused('enter nowhere'), 'NO_SUCH_ROOM');
    await cat.ok('enter garden');
    await cat.ok('exit');
  });

  it('are entered one in the other, left again, and given up', async () => {
    assert.equal(await cat.refused('leave'), 'NOT_IN_ROOM');
    await cat.ok('enter garden');
    await cat.ok('room garden/shed');
    const entered = await cat.ok('enter garden/shed');
    assert.deepEqual([entered['room'], entered['joined']], ['garden/shed', false]);
    await cat.ok('say in the shed');
    await ben.ok('enter #garden/shed');
    assert.deepEqual(await texts(ben, 'garden/shed'), ['in the shed']);
    assert.deepEqual((await cat.ok('leave'))['now'], 'garden');
    await cat.ok('say in the garden');
    await ann.event('message', { from: 'cat', room: 'garden', text: 'in the garden' });
    assert.equal((await cat.ok('leave'))['now'], undefined);
    assert.equal(await cat.refused('leave'), 'NOT_IN_ROOM');
    await sees(ann, 'garden/shed', 'ben', 'cat');
    // To exit is to be no member any more.
    await cat.ok('enter garden/shed');
    await cat.ok('exit');
    await ben.event('member', { room: 'garden/shed', user: 'cat', state: 'left' });
    await sees(ann, 'garden/shed', 'ben');
    assert.equal(await cat.refused('leave'), 'NOT_IN_ROOM');
    assert.equal(await cat.refused('talk #garden/shed'), 'NOT_MEMBER');
    await ben.ok('leave');
    await ben.ok('leave');
  });

  it('take what is typed elsewhere for a while', async () => {
    await ann.ok('enter garden');
    assert.equal((await ann.ok('talk @ben'))['to'], 'ben');
    assert.equal((await ann.ok('talk #lobby'))['room'], 'lobby');
    await ann.ok('say to everybody');
    await cat.event('message', { from: 'ann', room: 'lobby', text: 'to everybody' });
    assert.equal((await ann.ok('talk'))['room'], 'garden');
    await ann.ok('leave');
    assert.equal(await ann.refused('talk @nobody-here'), 'NO_SUCH_USER');
  });

  it('with a password are joined by it alone, and by whoever comes later read from before', async () => {
    const made = await ann.ok('room vault open sesame');
    assert.deepEqual([made.created, made['encrypted']], [true, true]);
    await ann.ok('enter vault');
    await ann.ok('say a secret');
    await ben.event('room', { room: 'vault' });
    assert.match(await why(ben, 'enter vault'), /^BAD_PASSWORD: The password of "vault" is needed/);
    assert.equal(await ben.refused('room vault wrong'), 'BAD_PASSWORD');
    assert.equal(await ben.refused('history #vault'), 'NOT_MEMBER');
    assert.equal(await members(ben, 'vault'), undefined);
    // Nobody needs to be there.
    await ann.ok('logout');
    await ben.ok('enter vault open sesame');
    assert.deepEqual(await texts(ben, 'vault'), ['a secret']);
    await ben.ok('say and another');
    await ann.ok('login ann');
    await ann.event('message', { room: 'vault', text: 'and another' });
    const view = await room(ann, 'vault');
    assert.deepEqual(
      [view?.members, view?.encrypted, view?.password, view?.owner],
      [['ann', 'ben'], true, true, 'ann'],
    );
    await ben.ok('exit');
    await ann.event('member', { room: 'vault', user: 'ben', state: 'left' });
    assert.equal(await ben.refused('enter vault'), 'BAD_PASSWORD');
    await ben.ok('enter vault open sesame');
    await ben.ok('leave');
  });

  it('within one with a password are opened by it, and ask for it first', async () => {
    await ann.ok('room vault/safe');
    await ann.ok('room vault/box another one');
    await cat.event('room', { room: 'vault/box' });
    assert.match(
      await why(cat, 'enter vault/box another one'),
      /The password of "vault" is needed/,
    );
    assert.equal(await cat.refused('enter vault/safe wrong'), 'BAD_PASSWORD');
    // The one above is joined on the way.
    await cat.ok('enter vault/safe open sesame');
    assert.equal((await room(cat, 'vault'))?.joined, true);
    assert.match(await why(cat, 'enter vault/box'), /The password of "vault\/box" is needed/);
    await cat.ok('enter vault/box another one');
    const box = await room(cat, 'vault/box');
    assert.deepEqual([box?.joined, box?.entered, box?.members], [true, true, ['ann', 'cat']]);
    await cat.ok('say deep inside');
    await ann.event('message', { room: 'vault/box', text: 'deep inside' });
    // Whoever gives up a closed room gives up those within.
    await cat.ok('enter vault');
    await cat.ok('exit');
    assert.equal((await room(cat, 'vault/box'))?.joined, false);
    assert.equal(await cat.refused('leave'), 'NOT_IN_ROOM');
  });

  it('put people out, keep them out, and let them in again', async () => {
    await ann.ok('enter vault');
    assert.equal(await ben.refused('kick ann'), 'NOT_IN_ROOM');
    await ben.ok('enter vault');
    assert.match(await why(ben, 'kick ann'), /^DENIED: .*"removeUser"/);
    const kicked = await ann.ok('kick ben');
    assert.deepEqual([kicked.user, kicked['room'], kicked['retired']], ['ben', 'vault', true]);
    await ben.event('member', { room: 'vault', user: 'ben', state: 'removed' });
    assert.equal(await ben.refused('leave'), 'NOT_IN_ROOM');
    assert.equal(await ben.refused('enter vault open sesame'), 'DENIED');
    await ann.ok('say without him');
    await ann.ok('admit ben');
    await ben.event('member', { room: 'vault', user: 'ben', state: 'joined' });
    assert.ok((await texts(ben, 'vault')).includes('without him'));
    assert.equal(await ann.refused('admit ben'), 'ALREADY');
    await ann.ok('updateroom vault --password "a third one"');
    await ann.ok('ban ben 3600');
    await ben.event('member', { room: 'vault', user: 'ben', state: 'removed' }, { count: 2 });
    assert.equal(await ben.refused('enter vault a third one'), 'BANNED');
    assert.equal(await ben.refused('enter vault/safe a third one'), 'BANNED');
    await ann.ok('updateroom vault --password "a fourth one"');
    await ann.ok('unban ben');
    assert.equal(await ann.refused('unban ben'), 'NOT_BLOCKED');
    await eventually('coming in', async () => (await ben.ask('enter vault a fourth one')).ok);
    await ben.ok('leave');
    await ann.ok('leave');
    // An open one.
    await ann.ok('enter garden');
    await ann.ok('kick ben');
    await sees(cat, 'garden', 'ann', 'cat');
    await ben.ok('room garden');
    await ann.ok('ban ben');
    const out = { room: 'garden', user: 'ben', state: 'removed' };
    await ben.event('member', out, { count: 2 });
    assert.equal(await ben.refused('room garden'), 'BANNED');
    // The shed within is not hers, but he says nothing there any more.
    await ben.ok('enter garden/shed');
    assert.equal(await ben.refused('say still here'), 'BANNED');
    await ben.ok('leave');
    await ann.ok('unban ben');
    await ann.ok('leave');
  });

  it('that are private are entered by a code, or let somebody in', async () => {
    await ann.ok('createroom board --private --position 1');
    assert.equal((await room(ann, 'board'))?.password, false);
    for (const other of [ben, cat]) await other.event('room', { room: 'board' });
    assert.equal(await ben.refused('enter board'), 'DENIED');
    assert.equal(await ben.refused('code #board'), 'NOT_MEMBER');
    const { code } = await ann.ok('code #board');
    assert.equal(await ben.refused('enter board --code AAAA-BBBB'), 'BAD_CODE');
    await ben.ok(`enter board --code ${code}`);
    await ann.event('code', { purpose: 'join', state: 'redeemed', room: 'board', user: 'ben' });
    assert.equal(await cat.refused(`enter board --code ${code}`), 'BAD_CODE');
    assert.equal(await ben.refused('admit cat'), 'DENIED');
    await ann.ok('admit cat board');
    await cat.event('member', { room: 'board', user: 'cat', state: 'joined' });
    await cat.ok('enter board');
    await cat.ok('say thank you');
    await ben.event('message', { room: 'board', text: 'thank you' });
    assert.equal(await ann.refused('code #garden'), 'NOT_SUPPORTED');
    await ben.ok('leave');
    await cat.ok('leave');
  });

  it('are changed and removed by their owner, or by permission', async () => {
    assert.match(await why(ben, 'updateroom garden --name park'), /^DENIED: .*"renameRoom"/);
    await ann.ok('updateroom garden --name park --media text --position 3');
    for (const other of [ben, root])
      await other.event('room', { room: 'park', state: 'updated', by: 'ann' });
    assert.equal((await room(ben, 'park/shed'))?.room, 'park/shed');
    assert.equal(await ann.refused('updateroom park --parent park/shed'), 'NESTING');
    assert.equal(await ann.refused('updateroom park --parent vault'), 'NOT_SUPPORTED');
    assert.equal(await ann.refused('updateroom park --password secret'), 'NOT_SUPPORTED');
    assert.match(await why(ann, 'updateroom park --name board'), /NAME_TAKEN: .*"board"/);
    assert.equal(await ann.refused('updateroom park'), 'USAGE');
    assert.equal(await ann.refused('updateroom park --media smell'), 'USAGE');
    assert.equal(await root.refused('updateroom park --owner root'), 'NOT_OWNER');
    assert.equal(await ann.refused('updateroom park --owner ben'), 'NOT_MEMBER');
    // The shed in it is not hers.
    assert.match(await why(ann, 'removeroom park'), /^DENIED: .*"removeRoom"/);
    assert.equal(await root.refused('removeroom lobby'), 'DENIED');
    await ben.ok('enter park/shed');
    assert.equal((await root.ok('removeroom park'))['removed'], 2);
    await ben.event('room', { room: 'park/shed', state: 'removed', by: 'root' });
    for (const other of [ann, ben, cat])
      await other.event('room', { room: 'park', state: 'removed' });
    assert.equal(await ben.refused('leave'), 'NOT_IN_ROOM');
    assert.equal(await room(cat, 'park'), undefined);
    assert.equal(await ben.refused('history #park'), 'NO_SUCH_ROOM');
  });

  it('are drawn as they lie in each other, with members, levels and marks', async () => {
    const structure = await tree(ann);
    assert.deepEqual([structure.name, structure.path], ['house', '']);
    assert.deepEqual(
      structure.children.map(({ path }) => path),
      ['lobby', 'board', 'vault'],
    );
    const [lobby, , vault] = structure.children;
    assert.deepEqual(lobby?.members, ['ann', 'ben', 'cat', 'root']);
    assert.deepEqual(
      vault?.children.map(({ name, path }) => [name, path]),
      [
        ['box', 'vault/box'],
        ['safe', 'vault/safe'],
      ],
    );
    const { text } = await ann.ask('structure');
    assert.match(text, /^house\n\|-- #lobby/);
    assert.match(text, /root {2}\(admin 100\)/);
    assert.match(text, /ann {2}\(owner, user 0\)/);
    assert.match(text, /`-- #vault \[password\]/);
    assert.match(text, /^ {4}\|-- #box \[password\]/m);
  });

  it('nest sixteen deep and no deeper', async () => {
    let path = 'n1';
    await ann.ok(`room ${path}`);
    for (let depth = 2; depth <= 16; depth++) await ann.ok(`room ${(path += `/n${depth}`)}`);
    assert.equal(await ann.refused(`room ${path}/n17`), 'NESTING');
    assert.equal(await ann.refused('room nowhere/inside'), 'NO_SUCH_ROOM');
    await ann.ok('removeroom n1');
  });

  it('that are groups end when the last member disconnects, be it by a crash', async () => {
    const [dan, eve] = await shop.clients(address, ['dan', 'eve']);
    assert.equal((await dan.ok('group lunch a password'))['temporary'], true);
    await eve.event('room', { room: 'lunch' });
    assert.match(await why(eve, 'group lunch'), /^NAME_TAKEN/);
    await eve.ok('enter lunch a password');
    await eve.ok('room lunch/table');
    assert.equal((await room(eve, 'lunch/table'))?.lifetime, 'temporary');
    await dan.quit();
    await ann.ok('say a while');
    assert.equal((await room(eve, 'lunch'))?.joined, true);
    await eve.crash();
    await ann.event('room', { room: 'lunch', state: 'removed' });
    await ann.event('room', { room: 'lunch/table', state: 'removed' });
    assert.equal(await ann.refused('enter lunch'), 'NO_SUCH_ROOM');
    // And at once, when nobody is in it any more.
    await ann.ok('group brief');
    await ann.ok('enter brief');
    await ann.ok('exit');
    await ben.event('room', { room: 'brief', state: 'removed' }, { patience: 4_000 });
  });

  it('end the program only at the top', async () => {
    await cat.ok('enter lobby');
    await cat.ok('exit');
    assert.equal(await cat.refused('leave'), 'NOT_IN_ROOM');
    cat.send('exit');
    assert.equal(await cat.status(), 0);
  });

  it('closed have their password set by who is in them, and by no administrator from outside', async () => {
    const [una, vic] = await shop.clients(address, ['una', 'vic']);
    await una.ok('createroom burrow --private');
    await una.ok('enter burrow');
    await una.ok('say in private');
    await una.ok('admit vic');
    for (const line of ['--password mine', '--no-password'])
      assert.equal(await root.refused(`updateroom burrow ${line}`), 'DENIED', line);
    assert.equal(await root.refused('enter burrow mine'), 'DENIED');
    await vic.ok('enter burrow');
    await vic.ok('exit');
    await una.ok('say again');
    assert.equal(await root.refused('history #burrow'), 'NOT_MEMBER');
    await una.ok('admit root');
    await root.ok('enter burrow');
    await root.ok('updateroom burrow --password ours');
    await vic.ok('enter burrow ours');
    await root.ok('exit');
    assert.equal(await root.refused('updateroom burrow --password theirs'), 'DENIED');
    for (const cli of [una, vic]) await cli.quit();
  });
});
