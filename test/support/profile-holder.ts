/** Opens the profile of alice in the directory given, says where it is, and waits to be killed. */
import type { PublicKey } from '../../lib/crdt/keys.ts';
import { openClientProfile } from '../../lib/node/profile.ts';

const [root = '', server = ''] = process.argv.slice(2);
const profile = await openClientProfile(root, { server: server as PublicKey, user: 'alice' });
process.stdout.write(`${profile.directory}\n`);
setInterval(() => undefined, 1_000);
