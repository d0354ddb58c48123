/** One command carried out, by the front end itself or by the App, with an outcome and never a throw. */
import type { App, Ask, CommandCall, ResultData } from '../app/types.ts';
import { ClchatError, codeOf, exitStatusOf, type ErrorCode } from '../errors.ts';
import { cleanAll } from '../text.ts';
import { commandOf } from './commands.ts';
import { errorText, formatResult, type Style } from './format.ts';
import { helpFor, helpOverview } from './help.ts';
import { DEVICE_SETTINGS, isDeviceSetting, type DeviceSetting, type Settings } from './settings.ts';

/** What became of a command; safe to print. */
export type Outcome =
  | { readonly ok: true; readonly text: string; readonly data: ResultData }
  | { readonly ok: false; readonly code: ErrorCode; readonly text: string };

/** Why a front end ended, and with what status the program ends because of it. */
export interface Ending {
  readonly reason: 'quit' | 'end' | 'interrupt' | 'locked';
  readonly status: number;
}

/** What the front end does itself. */
export interface Local {
  readonly settings: Settings;
  /** Changes to the other mode where none is given; absent where there is but one. */
  mode?(wanted: string | undefined): 'chat' | 'command';
  clear?(): void;
  /** Of a call, where they can be shown. */
  readonly pictures?: {
    enlarge(user: string | undefined): boolean;
    want(isWanted: boolean): void;
  };
  quit(): void;
}

export interface Context {
  readonly app: App;
  readonly local: Local;
  /** Absent when there is nobody to ask. */
  readonly ask?: Ask;
  /** Where the person is, as an absolute path, if not where this process is. */
  readonly directory?: string | undefined;
  readonly style: Style;
}

/** @throws NOT_SUPPORTED */
function picturesOf({ pictures }: Local): NonNullable<Local['pictures']> {
  if (pictures === undefined)
    throw new ClchatError('NOT_SUPPORTED', 'Pictures cannot be shown here.');
  return pictures;
}

function runLocal(call: CommandCall, local: Local): ResultData {
  const { args } = call;
  switch (call.name) {
    case 'help':
      return { help: args['command'] === undefined ? helpOverview() : helpFor(args['command']) };
    case 'quit':
    case 'exit':
      local.quit();
      return {};
    case 'mode':
      if (local.mode === undefined)
        throw new ClchatError('NOT_SUPPORTED', 'There is only command mode here.');
      return { mode: local.mode(args['mode']) };
    case 'clear':
      if (local.clear === undefined)
        throw new ClchatError('NOT_SUPPORTED', 'There is no screen to clear here.');
      local.clear();
      return {};
    case 'enlarge':
      if (!picturesOf(local).enlarge(args['user']))
        throw new ClchatError('NOT_PARTICIPANT', 'That user is not to be seen.');
      return { enlarged: args['user'] ?? '' };
    case 'video':
      picturesOf(local).want(args['state'] === 'on');
      return { video: args['state'] ?? '' };
    case 'settings': {
      const { name, value } = args;
      if (value !== undefined && value !== 'on' && value !== 'off')
        throw new ClchatError('USAGE', `"${name}" is on or off.`);
      if (name !== undefined && value !== undefined) local.settings.set(name, value === 'on');
      return { settings: { ...local.settings.all(name), ...chosen(local.settings, name) } };
    }
    default:
      throw new ClchatError('NOT_SUPPORTED');
  }
}

/** The devices that all settings are shown with; none beside the one setting that is named. */
function chosen(settings: Settings, name: string | undefined): Partial<Record<string, string>> {
  if (name !== undefined) return {};
  return Object.fromEntries(DEVICE_SETTINGS.map((one) => [one, settings.device(one)]));
}

/** What whoever writes "on" or "off" for a device may mean. */
const SWITCHES: Readonly<Record<DeviceSetting, string>> = {
  camera: '"camera on" and "camera off" switch it.',
  mic: '"mic on" and "mic off" switch it.',
  speaker: '"default" is the usual one, "none" is none.',
  screen: '"golive" and "stoplive" share it and end that.',
};

/**
 * `settings camera` and the like: lists what there is, or chooses one.
 * @throws USAGE for "on" and "off", which are switches everywhere else; NO_DEVICE, NO_MEDIA
 */
async function deviceSetting(
  name: DeviceSetting,
  device: string | undefined,
  { app, local: { settings } }: Context,
): Promise<ResultData> {
  if (device !== undefined && /^\s*(?:on|off)\s*$/i.test(device))
    throw new ClchatError(
      'USAGE',
      `"settings ${name}" takes the name of a device: without one it lists them. ${SWITCHES[name]}`,
    );
  const kind = name === 'mic' ? 'microphone' : name;
  const found = await app.execute({
    name: 'equipment',
    args: { kind, ...(device === undefined ? {} : { device }) },
  });
  if (device !== undefined) settings.choose(name, device);
  return { settings: { [name]: settings.device(name) }, ...found };
}

/** Carries out one command. Never rejects. */
export async function run(call: CommandCall, context: Context): Promise<Outcome> {
  const { app, local, ask } = context;
  try {
    // In a room, to exit is to give it up.
    const isGivenUp = call.name === 'exit' && app.status().room !== undefined;
    const isLocal = commandOf(call.name)?.local === true && !isGivenUp;
    const { name = '' } = call.args;
    const data =
      call.name === 'settings' && isDeviceSetting(name)
        ? await deviceSetting(name, call.args['value'], context)
        : isLocal
          ? runLocal(call, local)
          : await app.execute(call, ask);
    const style = { ...context.style, user: app.status().user };
    return { ok: true, text: formatResult(call.name, data, style), data: cleanAll(data) };
  } catch (error) {
    return failure(error);
  }
}

/** The outcome of something that threw. */
export function failure(error: unknown): Outcome & { ok: false } {
  return { ok: false, code: codeOf(error), text: errorText(error) };
}

/** The line of a result in the machine mode, with its end. */
export function resultLine(line: number, outcome: Outcome): string {
  return `${JSON.stringify({ type: 'result', line, ...outcome })}\n`;
}

/** What the machine mode prints for a failure before it is ready, with its end. */
export function errorLine(error: unknown): string {
  return `${JSON.stringify({ type: 'error', code: codeOf(error), text: errorText(error) })}\n`;
}

/** The exit status that an outcome stands for. */
export function statusOf(outcome: Outcome): number {
  return outcome.ok ? 0 : exitStatusOf(new ClchatError(outcome.code));
}
