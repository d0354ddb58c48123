/**
 * Everything that is written of contacts, rooms, conferences, messages, files and administration, played
 * as it is written, by three people at three hosts of a LAN who find the server on a fourth.
 */
import assert from 'node:assert/strict';
import { LOGINS, INVITED, STARTING } from './play/accounts.ts';
import { MOVING } from './play/moving.ts';
import { AWAY, BLOCKS, CONTACTS } from './play/people.ts';
import { CODES, GROUPS, MODERATION, POWERLESS } from './play/administration.ts';
import { ADMITTED, CONFERENCES, GRACE, SEVERAL } from './play/conferences.ts';
import { FILES, MESSAGES, UNREAD } from './play/messages.ts';
import { play } from './play/play.ts';
import { LOGGED_OUT, USAGE } from './play/refusals.ts';
import { CHANGED, CLOSED, ROOMS } from './play/rooms.ts';
import { missingIn } from './play/required.ts';
import { Kept } from './play/row.ts';
import { Stage } from './play/stage.ts';

const SCENES = [
  STARTING,
  LOGINS,
  INVITED,
  CONTACTS,
  AWAY,
  BLOCKS,
  ROOMS,
  CLOSED,
  CHANGED,
  CONFERENCES,
  SEVERAL,
  ADMITTED,
  GRACE,
  MESSAGES,
  UNREAD,
  FILES,
  GROUPS,
  POWERLESS,
  CODES,
  MODERATION,
  USAGE,
  MOVING,
  LOGGED_OUT,
];

describe('the script of three clients', function () {
  this.timeout(120_000);
  const kept = new Kept();
  let stage: Stage;

  before(async () => {
    stage = await Stage.build([
      ['root', 'gate'],
      ['alice', 'phone'],
      ['bob', 'dave', 'tess'],
      ['carol', 'mallory', 'heir'],
    ]);
  });
  after(() => stage.destroy());

  it('holds all that is written', () => {
    assert.deepEqual(missingIn(SCENES), []);
  });

  for (const scene of SCENES) it(scene.title, () => play(stage, scene, kept));
});
