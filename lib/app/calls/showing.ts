/** What a front end shows of the call: who is in it, and their pictures. */
import type { PublicKey } from '../../crdt/keys.ts';
import { isSuppressed } from '../../crdt/suppress.ts';
import type { EngineEvent } from '../../media/engine/messages.ts';
import type { Home } from '../../node/client/home.ts';
import type { CallScreen, PictureKind, PictureSize } from '../types.ts';
import type { CallDevices } from './call-devices.ts';
import { MIRROR, tileId, tilesOf, type About } from './call-tiles.ts';
import type { LiveCall } from './live-call.ts';

export interface ShowingOptions {
  readonly devices: Pick<CallDevices, 'isOn' | 'media'>;
  /** Of whoever is logged in. */
  readonly home: () => Home | undefined;
  readonly live: () => LiveCall | undefined;
  readonly choicesOf: About['choicesOf'];
  /** What comes in is recorded here. */
  readonly isRecording: () => boolean;
  /** How large pictures are wanted where no front end says so; undefined: as is usual for so many. */
  readonly size: PictureSize | undefined;
}

export class Showing {
  readonly #options: ShowingOptions;
  #screen: CallScreen | undefined;
  /** This person is heard to talk. */
  isTalking = false;

  constructor(options: ShowingOptions) {
    this.#options = options;
  }

  /** Has the call shown by a front end, or by none. */
  watch(screen: CallScreen | undefined): void {
    this.#screen = screen;
    this.show();
    this.sizesChanged();
  }

  /** Whether a front end takes the pictures of a device. */
  isShown(device: PublicKey, kind: PictureKind): boolean {
    return this.#screen !== undefined && this.#screen.size(tileId(device, kind)) !== null;
  }

  /** How large pictures of a device are wanted: null: not at all; undefined: as is usual for so many. */
  sizeOf(device: PublicKey, kind: PictureKind): PictureSize | null | undefined {
    const { size, isRecording } = this.#options;
    // What is small enough for a face cannot be read.
    if (this.#screen === undefined) return kind === 'camera' ? size : undefined;
    const wanted = this.#screen.size(tileId(device, kind));
    // What nobody looks at now may be looked at later.
    return wanted === null && isRecording() ? undefined : wanted;
  }

  /** Pictures are wanted in other sizes, of the others and of one's own camera. */
  sizesChanged(): void {
    const { live, devices } = this.#options;
    live()?.askAgain();
    const isSeen = live() !== undefined && devices.isOn('camera');
    const size = isSeen ? this.#screen?.size(MIRROR) : null;
    devices.media?.order({ order: 'mirror', size: size ?? null });
  }

  /** Who is in the call, or what there is to be seen of them, is different. */
  show(): void {
    const { home: homeOf, live: liveOf, devices, choicesOf } = this.#options;
    const home = homeOf();
    const live = liveOf();
    if (home === undefined || live === undefined) return this.#screen?.show([]);
    const { name, account, space } = home;
    this.#screen?.show(
      tilesOf(live, {
        name,
        account,
        hasCamera: devices.isOn('camera'),
        hasMicrophone: devices.isOn('microphone'),
        isTalking: this.isTalking,
        choicesOf,
        isSuppressed: (one) => isSuppressed(space, one, live.view.room),
      }),
    );
  }

  /** Hands a picture on; the next one may come then. */
  picture(event: Extract<EngineEvent, { event: 'picture' }>): void {
    const { peer, kind } = event;
    this.#screen?.picture(peer === null ? MIRROR : tileId(peer as PublicKey, kind), event);
    this.#options.devices.media?.order({ order: 'taken', peer, kind });
  }
}
