/** Mailers under test, and mail servers for them; all end with the test, by `cleanUpAll`. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { ClchatError } from '../../lib/errors.ts';
import { createMailer, type Mail, type Mailer, type MailerOptions } from '../../lib/node/mailer.ts';
import { startMailServer, type MailStage, type MailStageOptions } from './mail.ts';
import { cleanUp } from './peers.ts';

export const ACCOUNT = { user: 'clchat', password: 'p@ss/w:rd#?%ü' };
export const MAIL: Mail = { to: 'bob@example.org', subject: 'Hello', text: 'One\nTwo\n' };

export async function stage(options?: MailStageOptions): Promise<MailStage> {
  const server = await startMailServer(options);
  cleanUp(() => server.close());
  return server;
}

export function mailer(url: string, options?: MailerOptions): Mailer {
  const made = createMailer(url, options);
  cleanUp(() => made.close());
  return made;
}

/** That a mail was not sent, with advice that fits. */
export const failed =
  (pattern: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof ClchatError, inspect(error));
    assert.equal(error.code, 'MAIL');
    assert.match(error.message, /^The mail could not be sent: /);
    assert.match(error.message, pattern);
    return true;
  };
