import assert from 'node:assert/strict';
import { RoomStage } from '../support/room-stage.ts';
import type { TestClient } from '../support/roles.ts';

describe('codes of rooms', function () {
  this.timeout(20_000);
  let stage: RoomStage;
  let alice: TestClient;
  let bob: TestClient;
  let carol: TestClient;
  beforeEach(async () => {
    stage = await RoomStage.open();
    ({ alice, bob, carol } = stage);
    await stage.run(alice, 'createroom', { name: 'board', private: 'true' });
    for (const who of [bob, carol]) await stage.knows(who, 'board');
  });
  afterEach(() => stage.close());

  it('let in as many as they are for, however they are typed', async () => {
    const data = await stage.run(alice, 'code', { group: '#board', uses: '2', seconds: '60' });
    const { code, ...rest } = data;
    assert.deepEqual(rest, { purpose: 'join', room: 'board', uses: 2, seconds: 60 });
    assert.match(String(code), /^[A-Z2-9]{4}(-[A-Z2-9]{4}){6}$/);
    await stage.refused(bob, 'enter', { room: 'board', code: '---' }, 'BAD_CODE');
    await stage.refused(bob, 'enter', { room: 'board', code: 'AAAA-BBBB' }, 'BAD_CODE');
    const typed = String(code).toLowerCase().replaceAll('-', ' ');
    assert.deepEqual(await stage.run(bob, 'enter', { room: 'board', code: typed }), {
      room: 'board',
      joined: true,
    });
    await stage.run(carol, 'enter', { room: 'board', code: String(code) });
    await stage.refused(stage.root, 'enter', { room: 'board', code: String(code) }, 'BAD_CODE');
    // Who is in needs none.
    assert.equal((await stage.run(bob, 'enter', { room: 'board', code: 'x' }))['joined'], false);
  });

  it('are good for two at once only where they are for two', async () => {
    const { code } = await stage.run(alice, 'code', { group: '#board' });
    const tries = await Promise.allSettled(
      [bob, carol].map((who) => stage.run(who, 'enter', { room: 'board', code: String(code) })),
    );
    assert.deepEqual(tries.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  });

  it('are made by those who may, for rooms that need any', async () => {
    await stage.refused(bob, 'code', { group: '#board' }, 'NOT_MEMBER');
    await stage.refused(alice, 'code', { group: '#nowhere' }, 'NO_SUCH_ROOM');
    await stage.refused(alice, 'code', { group: '#lobby' }, 'NOT_SUPPORTED', /open/);
    await stage.refused(alice, 'code', { group: '#board', uses: '0' }, 'USAGE');
    await stage.refused(alice, 'code', { group: '#board', uses: '10001' }, 'TOO_LARGE');
    await stage.run(alice, 'admit', { user: 'bob', room: 'board' });
    await stage.sees(bob, 'board', 'alice', 'bob');
    await stage.run(bob, 'code', { group: '#board' });
    await stage.run(stage.root, 'updategroup', { group: 'user', changes: '-inviteUser' });
    await stage.refused(bob, 'code', { group: '#board' }, 'DENIED', /"inviteUser"/);
    await stage.run(alice, 'code', { group: '#board' });
    // Those of groups are made as ever.
    await stage.refused(bob, 'code', { group: 'user' }, 'DENIED', /"issueCode"/);
    const { purpose } = await stage.run(stage.root, 'code', { group: 'user' });
    assert.equal(purpose, 'elevate');
  });
});
