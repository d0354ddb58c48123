/** Microphones and speakers of PulseAudio, and of PipeWire in its place. */
import { bounded, NOTHING, toDevice, type Device, type DeviceList } from './device.ts';
import { ask, type Host } from './host.ts';

export interface PulseDevice {
  readonly name: string;
  readonly description: string;
  /** It hears what a speaker plays. */
  readonly isMonitor: boolean;
}

/** Reads what `pactl list sources` or `pactl list sinks` prints, in English. */
export function parsePulse(text: string): PulseDevice[] {
  const devices: PulseDevice[] = [];
  for (const part of text.split(/^(?:Source|Sink) #\d+$/m).slice(1)) {
    const field = (name: string): string | undefined =>
      new RegExp(`^\\t${name}: (.*)$`, 'm').exec(part)?.[1]?.trim();
    const name = field('Name');
    const monitored = field('Monitor of Sink') ?? 'n/a';
    if (name !== undefined)
      devices.push({
        name,
        description: field('Description') ?? '',
        isMonitor: monitored !== 'n/a',
      });
  }
  return devices;
}

/** Reads what `pactl info` prints, in English. */
export function parsePulseDefaults(text: string): { source?: string; sink?: string } {
  const field = (name: string): string | undefined =>
    new RegExp(`^Default ${name}: (.+)$`, 'm').exec(text)?.[1]?.trim();
  const [source, sink] = [field('Source'), field('Sink')];
  return { ...(source !== undefined && { source }), ...(sink !== undefined && { sink }) };
}

/** @returns undefined where there is no such server, or no program that asks it */
export async function pulseDevices(host: Host): Promise<DeviceList | undefined> {
  const pactl = (...args: string[]) => ask(host, 'pactl', args);
  const info = await pactl('info');
  if (info.hasFailed) return undefined;
  const defaults = parsePulseDefaults(info.output);
  const [sources, sinks] = await Promise.all([pactl('list', 'sources'), pactl('list', 'sinks')]);
  const microphones = parsePulse(sources.output).filter(({ isMonitor }) => !isMonitor);
  const toDevices = (
    kind: Device['kind'],
    those: readonly PulseDevice[],
    usual: string | undefined,
  ): Device[] =>
    bounded(
      those.map(({ name, description }) => toDevice(kind, name, description, name === usual)),
    );
  return {
    ...NOTHING,
    devices: [
      ...toDevices('microphone', microphones, defaults.source),
      ...toDevices('speaker', parsePulse(sinks.output), defaults.sink),
    ],
  };
}
