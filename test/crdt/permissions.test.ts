import assert from 'node:assert/strict';
import { PERMISSIONS, USER_PERMISSIONS } from '../../lib/crdt/permissions.ts';

describe('permissions', () => {
  it('are named once each, and new users have some of them', () => {
    assert.equal(new Set(PERMISSIONS).size, PERMISSIONS.length);
    for (const permission of USER_PERMISSIONS) assert.ok(PERMISSIONS.includes(permission));
    assert.ok(!USER_PERMISSIONS.includes('setUserGroup'));
  });
});
