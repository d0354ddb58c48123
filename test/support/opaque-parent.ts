/** Uses the helper process for passwords, says its pid, and waits to be killed. */
import { Opaque } from '../../lib/node/opaque.ts';

const opaque = new Opaque();
await opaque.loginStart({ password: 'x' });
process.stdout.write(`${opaque.pid}\n`);
setInterval(() => undefined, 1_000);
