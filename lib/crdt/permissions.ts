/** What a group may allow. Deny by default. */

export const PERMISSIONS = [
  'createRoom',
  'createUser',
  'renameRoom',
  'renameUser',
  'renameServer',
  'removeRoom',
  'removeUser',
  'inviteUser',
  'inviteUserAny',
  'joinVoiceRoom',
  'sendMessage',
  'setUserGroup',
  'setGroupPerm',
  'changeMessage',
  'suppressUser',
  'noInviteFor',
  'createGroup',
  'createConference',
  'broadcast',
  'callUser',
  'callRoom',
  'issueCode',
  'viewLevels',
] as const;

export type Permission = (typeof PERMISSIONS)[number];

/** Permissions that new members of a server start with. */
export const USER_PERMISSIONS: readonly Permission[] = [
  'joinVoiceRoom',
  'sendMessage',
  'createRoom',
  'createGroup',
  'createConference',
  'broadcast',
  'callUser',
  'callRoom',
  'inviteUser',
];

export const ADMIN_GROUP = 'admin';
export const USER_GROUP = 'user';
