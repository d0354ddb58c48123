/** Media files as cameras and microphones: played as fast as they are meant to be, over and over. */
import { basename, resolve } from 'node:path';
import type { Host } from '../devices/host.ts';
import { shown } from '../devices/refusals.ts';
import type { PictureSize } from '../frames.ts';
import type { AudioSource, VideoSource } from '../streams.ts';
import { openPictures, openSound } from './capture.ts';

/**
 * What a file may be. What is in it is not trusted: playlists and the like would have ffmpeg open other
 * files and addresses, so that they could be seen by whoever is called.
 */
const FORMATS = [
  ...['matroska', 'webm', 'mov', 'mp4', 'avi', 'flv', 'mpegts', 'mpeg', 'asf', 'nut', 'ivf'],
  ...['yuv4mpegpipe', 'gif', 'ogg', 'wav', 'w64', 'mp3', 'flac', 'aac', 'aiff', 'au', 'caf'],
  ...['image2', 'png_pipe', 'jpeg_pipe', 'webp_pipe'],
].join(',');

/** Single pictures are shown again and again: no more often than is needed. */
const STILL = /\.(?:png|jpe?g|webp)$/i;
const STILLS_A_SECOND = 5;

/** Arguments that read a file. */
export function fileInput(path: string): string[] {
  const only = ['-protocol_whitelist', 'file,pipe', '-format_whitelist', FORMATS];
  const rate = STILL.test(path) ? ['-framerate', `${STILLS_A_SECOND}`] : [];
  // By the name of the protocol, so that no part of the name is taken for another one.
  return [...only, ...rate, '-re', '-stream_loop', '-1', '-i', `file:${resolve(path)}`];
}

const optionsOf = (host: Host, path: string) =>
  ({ host, label: shown(basename(path)), inputs: [fileInput(path)] }) as const;

/** @throws NO_DEVICE where there are no pictures in it, or no ffmpeg */
export function openVideoFile(host: Host, path: string, size: PictureSize): Promise<VideoSource> {
  return openPictures(optionsOf(host, path), size);
}

/** @throws NO_DEVICE where there is no sound in it, or no ffmpeg */
export function openSoundFile(host: Host, path: string): Promise<AudioSource> {
  return openSound(optionsOf(host, path));
}
