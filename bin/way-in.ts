/** The way in: what the options leave open is asked of a person, and then the peers are started. */
import { hostname, userInfo } from 'node:os';
import type { ClchatApp } from '../lib/app.ts';
import { isInviteLink } from '../lib/app/invite-link.ts';
import type { Ask } from '../lib/app/types.ts';
import { ClchatError, type ErrorCode } from '../lib/errors.ts';
import { isName, whyNotFree } from '../lib/text.ts';
import { passwordOf } from '../lib/ui/command-line.ts';
import type { Options } from '../lib/ui/options.ts';
import { failure } from '../lib/ui/runner.ts';

/** What the way in needs of a run of the program. */
export interface WayIn {
  readonly options: Options;
  /** Undefined where nobody is there to be asked. */
  readonly ask: Ask | undefined;
  /** Tells the person something. */
  tell(what: { code?: ErrorCode; text: string }): void;
}

function addressText(address: Options['connect']): string | undefined {
  if (address === undefined) return undefined;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return address.port === undefined ? host : `${host}:${address.port}`;
}

/** The system's name for the person, where it can be one here. */
function ownName(): string {
  const name = userInfo().username;
  return isName(name) && whyNotFree(name) === undefined ? name : 'guest';
}

function hostName(): string {
  const name = hostname().split('.', 1)[0]!.slice(0, 32);
  return isName(name) ? name : 'clchat';
}

/** What `-c` and `-lc` were told of the server to join; a person is asked where `-c` was told nothing. */
async function targetOf({ options, ask }: WayIn): Promise<{ connect?: string; invite?: string }> {
  const { invite, internet } = options;
  if (invite !== undefined) return { invite };
  const connect = addressText(options.connect);
  if (connect !== undefined) return { connect };
  if (!internet) return {};
  if (ask === undefined)
    throw new ClchatError(
      'USAGE',
      'Join what? Give an invite link or an address: clchat -c TARGET.',
    );
  const written = (await ask.line('Invite link, or address of the server (IP or IP:PORT)')).trim();
  return isInviteLink(written) ? { invite: written } : { connect: written };
}

/** What a person can answer otherwise. */
const BAD_ANSWERS: ReadonlySet<string> = new Set([
  'BAD_NAME',
  'NAME_TAKEN',
  'BAD_ADDRESS',
  'PORT_IN_USE',
]);

/**
 * Puts a question until its answer is of use; what came by an option, or unattended, is used as it is.
 * @param use takes the answer @returns whether it is done
 */
async function settle(
  run: WayIn,
  given: string | undefined,
  question: (ask: Ask) => Promise<string>,
  use: (answer: string | undefined) => Promise<boolean>,
): Promise<void> {
  const { ask } = run;
  if (given !== undefined || ask === undefined) {
    await use(given);
    return;
  }
  for (;;) {
    try {
      if (await use(await question(ask))) return;
    } catch (error) {
      const { ok: _, ...refusal } = failure(error);
      if (!BAD_ANSWERS.has(refusal.code)) throw error;
      run.tell(refusal);
    }
  }
}

/** Starts what the options ask for, asking a person for what they leave open. */
export async function enter(run: WayIn, app: ClchatApp): Promise<void> {
  const { options, ask } = run;
  const credentials = { password: passwordOf(options, process.env), code: options.code };
  const login = async (name: string | undefined): Promise<boolean> => {
    if (name === undefined) return true;
    const how = { mayRegister: true, mayLogin: true, mustProve: false };
    const { declined } = await app.login(name, credentials, ask, how);
    if (declined !== true) return true;
    if (options.user !== undefined) throw new ClchatError('NO_SUCH_USER', 'Nothing was made.');
    run.tell({ text: 'Nothing was made.' });
    return false;
  };
  switch (options.mode) {
    case 'server': {
      let name = hostName();
      const takeName = async (answer = name): Promise<boolean> => {
        if (!isName(answer)) throw new ClchatError('BAD_NAME');
        name = answer;
        return true;
      };
      await settle(run, options.name, (to) => to.line('Name of the server', name), takeName);
      await settle(
        run,
        addressText(options.listen),
        async (to) => to.line('Listen on IP:PORT', await app.freeAddress()),
        async (listen) => {
          await app.serve(name, listen, options.internet);
          return true;
        },
      );
      await settle(run, options.user, (to) => to.line('Your name', ownName()), login);
      return;
    }
    case 'client': {
      const target = await targetOf(run);
      await app.find(
        {
          ...target,
          ...(options.server === undefined ? {} : { server: options.server }),
          ...(options.user === undefined ? {} : { user: options.user }),
        },
        ask,
      );
      const known = await app.lastUser();
      const user = options.user ?? (ask === undefined ? known : undefined);
      if (user === undefined && ask === undefined)
        throw new ClchatError('USAGE', 'Who are you? Give a name with --user NAME.');
      await settle(run, user, (to) => to.line('Your name', known ?? ownName()), login);
      return;
    }
    case 'shell':
      return;
    default:
      options.mode satisfies never;
  }
}
