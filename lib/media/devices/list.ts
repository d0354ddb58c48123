/** What there is on this host to see, hear and be heard by. */
import { ClchatError, hasCode } from '../../errors.ts';
import { alsaDevices } from './alsa.ts';
import { avfoundationDevices, avfoundationNames } from './avfoundation.ts';
import { join, NOTHING, type Device, type DeviceKind, type DeviceList } from './device.ts';
import { askDshow, dshowDevices } from './dshow.ts';
import { ask, thisHost, type Host } from './host.ts';
import { ffmpegIsMissing, isNoWay } from './refusals.ts';
import { nativeDevices } from './native-sound.ts';
import { pulseDevices } from './pulse.ts';
import { v4l2Cameras } from './v4l2.ts';
import { x11Screens } from './x11.ts';

/**
 * All of it. What a device calls itself is clean and bounded. Takes as long as the programs of the
 * system take that are asked, a few seconds at most. Never rejects.
 */
export async function listDevices(host: Host = thisHost()): Promise<DeviceList> {
  if (host.platform === 'darwin') return withNative(host, await fromFfmpeg(host, listMac));
  if (host.platform === 'win32') return withNative(host, await fromFfmpeg(host, listWindows));
  const asked = [v4l2Cameras(), linuxSound(host), x11Screens(host), noFfmpeg(host)];
  return join(...(await Promise.all(asked)));
}

/** Those of one kind, and the problems with them. */
async function listKind(kind: DeviceKind, host: Host): Promise<DeviceList> {
  const { devices, problems } = await (() => {
    if (host.platform === 'darwin' || host.platform === 'win32') return listDevices(host);
    if (kind === 'camera') return v4l2Cameras();
    return kind === 'screen' ? x11Screens(host) : linuxSound(host);
  })();
  return { devices: devices.filter((device) => device.kind === kind), problems };
}

async function linuxSound(host: Host): Promise<DeviceList> {
  const pulse = await pulseDevices(host);
  if (pulse !== undefined) return pulse;
  const alsa = await alsaDevices();
  if (alsa.devices.length > 0) return alsa;
  const how = 'Is PulseAudio or PipeWire running, and "pactl" installed (pulseaudio-utils)?';
  return { ...alsa, problems: [`No microphones and speakers could be found. ${how}`] };
}

/** The list is of no use without the program that opens what is in it. */
async function noFfmpeg(host: Host): Promise<DeviceList> {
  const { isMissing } = await ask(host, host.ffmpeg, ['-version']);
  return isMissing ? { ...NOTHING, problems: [ffmpegIsMissing(host.platform).message] } : NOTHING;
}

async function listMac(host: Host): Promise<DeviceList> {
  return avfoundationDevices(await avfoundationNames(host));
}

async function listWindows(host: Host): Promise<DeviceList> {
  const { devices } = dshowDevices(await askDshow(host));
  const desktop = { kind: 'screen', id: 'desktop', label: 'All screens', isDefault: true } as const;
  return { ...NOTHING, devices: [...devices, desktop] };
}

async function fromFfmpeg(
  host: Host,
  list: (host: Host) => Promise<DeviceList>,
): Promise<DeviceList> {
  try {
    return await list(host);
  } catch (error) {
    return { ...NOTHING, problems: [error instanceof Error ? error.message : ''] };
  }
}

/** Sound is opened by the native part where that is there, so its names count. */
function withNative(host: Host, asked: DeviceList): DeviceList {
  const native = nativeDevices(host);
  if (native === undefined) return asked;
  return join({ ...asked, devices: asked.devices.filter(isPicture) }, native);
}

const isPicture = ({ kind }: Device): boolean => kind === 'camera' || kind === 'screen';

/** Names in one sentence. */
const MOST_NAMED = 8;

/** A sentence that says which devices of a kind there are. */
async function thereAre(kind: DeviceKind, host: Host): Promise<string> {
  const { devices, problems } = await listKind(kind, host);
  const names = devices.map(({ id, label }) => (id === label ? id : `${id} (${label})`));
  if (names.length === 0) return [`There is no ${kind} here.`, ...problems].join(' ');
  return `There ${names.length === 1 ? 'is' : 'are'}: ${names.slice(0, MOST_NAMED).join(', ')}.`;
}

/** Whoever asked for a device that does not open learns which ones there are. */
export async function orNameOthers<T>(
  kind: DeviceKind,
  host: Host,
  opened: Promise<T>,
): Promise<T> {
  try {
    return await opened;
  } catch (error) {
    if (!hasCode(error, 'NO_DEVICE') || isNoWay(error)) throw error;
    const said = error.message.replace(/^./u, (first) => first.toUpperCase()).replace(/\.$/, '');
    const text = `${said}. ${await thereAre(kind, host)}`;
    throw new ClchatError('NO_DEVICE', text, { cause: error });
  }
}
