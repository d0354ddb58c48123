/** What commands do, held to the table: none may refuse by a code that its entry does not name. */
import assert from 'node:assert/strict';
import { HANDLERS as ALL } from '../../lib/app/handlers.ts';
import type { Handler } from '../../lib/app/handling.ts';
import { codeOf } from '../../lib/errors.ts';
import { mayGive } from './commands.ts';

const held = ([name, handler]: [string, Handler]): [string, Handler] => [
  name,
  async (args, context) => {
    try {
      return await handler(args, context);
    } catch (error) {
      const code = codeOf(error);
      assert.ok(mayGive(name, code), `"${name}" gives ${code}, which the table does not name`);
      throw error;
    }
  },
];

export const HANDLERS: Readonly<Record<string, Handler>> = Object.fromEntries(
  Object.entries(ALL).map(held),
);
