/** What the script has to hold: each command of these parts with what it refuses, each permission and event. */
import { PERMISSIONS, type Permission } from '../../../lib/crdt/permissions.ts';
import type { ErrorCode } from '../../../lib/errors.ts';
import { wordOf } from './play.ts';
import type { Scene } from './row.ts';

/** Commands, with spaces between those that have the same refusals; each is to succeed once as well. */
const COMMANDS: readonly (readonly [commands: string, ...refusals: ErrorCode[]])[] = [
  ['server', 'BAD_ADDRESS', 'PORT_IN_USE'],
  ['user', 'NAME_TAKEN', 'CODE_REQUIRED', 'BAD_NAME'],
  ['connect', 'NETWORK'],
  ['login', 'NO_SUCH_USER', 'BAD_PASSWORD', 'LOCKED'],
  ['logout devices revoke'],
  ['passwd', 'BAD_PASSWORD'],
  ['resetpasswd', 'DENIED'],
  ['request', 'NO_SUCH_USER', 'SELF', 'ALREADY', 'BAD_PASSWORD', 'LOCKED', 'BLOCKED'],
  ['accept reject cancel', 'NO_REQUEST'],
  ['unfriend', 'NOT_CONTACT'],
  ['contacts rooms requests structure levels self notifications conferences'],
  ['room', 'BAD_PASSWORD', 'DENIED'],
  ['group', 'NAME_TAKEN', 'DENIED'],
  ['enter', 'NO_SUCH_ROOM', 'BAD_PASSWORD'],
  ['leave', 'NOT_IN_ROOM'],
  ['exit talk admit'],
  ['conference', 'NAME_CLASH', 'DENIED'],
  ['joinconf', 'AMBIGUOUS', 'NAME_CLASH', 'ALREADY'],
  ['leaveconf inviteconf'],
  ['renameconf', 'NOT_OWNER', 'NOT_PARTICIPANT', 'NAME_CLASH'],
  ['ownerconf endconf', 'NOT_OWNER', 'NOT_PARTICIPANT'],
  ['message', 'NO_SUCH_USER', 'SELF', 'BLOCKED', 'DENIED'],
  ['broadcast', 'DENIED'],
  ['whoelse'],
  ['whoelsesince', 'USAGE'],
  ['block', 'NO_SUCH_USER', 'SELF', 'ALREADY'],
  ['unblock', 'NO_SUCH_USER', 'SELF', 'NOT_BLOCKED'],
  ['say', 'DENIED', 'TOO_LARGE'],
  ['attach', 'DENIED', 'TOO_LARGE'],
  ['history search settings help stats quit'],
  ['edit remove versions', 'DENIED', 'NO_SUCH_MESSAGE'],
  ['reply react', 'DENIED', 'TOO_LARGE', 'NO_SUCH_MESSAGE'],
  ['save', 'NO_SUCH_MESSAGE'],
  ['invite code', 'DENIED'],
  ['elevate', 'BAD_CODE', 'LAST_ADMIN'],
  ['createroom updateroom removeroom', 'DENIED'],
  ['createuser updateuser removeuser', 'DENIED'],
  ['creategroup updategroup removegroup', 'DENIED'],
  ['setusergroup', 'DENIED', 'LAST_ADMIN'],
  ['kick ban unban renameserver motd', 'DENIED'],
  ['backup', 'DENIED'],
  ['restore export'],
  ['import', 'DENIED'],
];

/** Permissions that come with calls, and those without which nothing is refused by their name. */
const ELSEWHERE: ReadonlySet<Permission> = new Set<Permission>([
  ...(['suppressUser', 'callUser', 'callRoom'] as const),
  ...(['noInviteFor', 'viewLevels'] as const),
]);

const EVENTS =
  'request contact unfriend room member conference message edited removed reacted code group typing ' +
  'attachment presence receipt unread broadcast login logout locked server notice';

/** What of it no row of the scenes plays: to be empty. */
export function missingIn(scenes: readonly Scene[]): string[] {
  const rows = scenes.flatMap((scene) => scene.rows);
  const played = new Set(rows.map(([, line, gives]) => `${wordOf(line)} ${codeIn(gives)}`));
  const commands = COMMANDS.flatMap(([names, ...refusals]) =>
    names.split(' ').flatMap((name) => ['fine', ...refusals].map((code) => `${name} ${code}`)),
  );
  const named = new Set(rows.map(([, , gives]) => gives));
  const permissions = PERMISSIONS.filter((one) => !ELSEWHERE.has(one)).map(
    (one) => `DENIED "${one}"`,
  );
  const told = new Set(rows.flatMap(([, , , ...all]) => all.map(([, event]) => event)));
  return [
    ...commands.filter((one) => !played.has(one)),
    ...permissions.filter((one) => !named.has(one)),
    ...EVENTS.split(' ').filter((one) => !told.has(one)),
  ];
}

function codeIn(gives: unknown): string {
  return typeof gives === 'string' ? (gives.split(' ')[0] ?? '') : 'fine';
}
