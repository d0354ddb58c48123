/** The STUN and TURN server of an internet: coturn. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { untilListening } from './listening.ts';
import type { WanHost } from './host.ts';

/** Where it is, and what it asks for. */
export interface TurnServer {
  readonly address: string;
  /** Another one of it, as tests of a router's behaviour need it (RFC 5780). */
  readonly secondAddress: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** Returns when it answers. @param directory for its files */
export async function startTurnServer(
  host: WanHost,
  secondAddress: string,
  directory: string,
): Promise<TurnServer> {
  const server = {
    address: host.address,
    secondAddress,
    port: 3_478,
    user: 'lab',
    password: 'lab-password',
  };
  const files = join(directory, host.name);
  await mkdir(files);
  const settings = [
    `listening-port=${server.port}`,
    `listening-ip=${server.address}`,
    `listening-ip=${secondAddress}`,
    `relay-ip=${server.address}`,
    'min-port=49152',
    'max-port=49999',
    'realm=lab',
    'lt-cred-mech',
    `user=${server.user}:${server.password}`,
    'fingerprint',
    'no-cli',
    'no-tls',
    'no-dtls',
    `userdb=${join(files, 'users')}`,
    `pidfile=${join(files, 'pid')}`,
    'log-file=stdout',
    'simple-log',
    '',
  ];
  await writeFile(join(files, 'conf'), settings.join('\n'));
  const process = host.exec('turnserver', ['-c', join(files, 'conf')]);
  await untilListening(process, 'udp', server.port);
  return server;
}
