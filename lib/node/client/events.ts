/** What a client tells whoever runs it. */
import type { EntryId } from '../../crdt/keys.ts';
import type { ErrorCode } from '../../errors.ts';
import type { Notice } from '../exchange.ts';
import type { PrivateNews } from '../private/news.ts';
import type { SESSION } from '../wire.ts';
import type { AdminNews } from './admin-news.ts';
import type { CallEvents } from './calling.ts';
import type { ConferenceNews } from './conferences.ts';
import type { ContactNews } from './contacts.ts';
import type { SendingNews } from './files.ts';
import type { Receipt } from './progress.ts';
import type { ReadMessage } from './reading.ts';
import type { RoomNews } from './room-news.ts';
import type { ContentNews, MissedCall } from './telling.ts';

export interface ClientEvents {
  readonly onMessage: (message: ReadMessage) => void;
  /** Where absent, they are found in the conversation only. */
  readonly onMissedCall?: (call: MissedCall) => void;
  readonly onContact: (news: ContactNews) => void;
  readonly onContent: (news: ContentNews) => void;
  /** As it happens only: not what happened while there was no way to the server. */
  readonly onAdmin: (news: AdminNews) => void;
  /** See `HomeOptions.onRoom`. */
  readonly onRoom: (news: RoomNews, isLive: boolean) => void;
  readonly onTyping: (notice: Notice<typeof SESSION, 'typing'>) => void;
  /** Of each conference in sight after a login, and whenever something is otherwise. */
  readonly onConference: (news: ConferenceNews) => void;
  /** Of private sessions; where absent, nobody is there to be asked for one. */
  readonly onPrivate?: (news: PrivateNews) => void;
  /** Of calls; where absent, nobody is there to be called. */
  readonly onCalls?: CallEvents;
  /** How far a file of this device has got on its way to the server. */
  readonly onSending: (news: SendingNews) => void;
  readonly onReceipt: (receipt: Receipt) => void;
  readonly onRefused: (id: EntryId, code: ErrorCode) => void;
  readonly onPresence: (notice: Notice<typeof SESSION, 'presence'>) => void;
  readonly onBroadcast: (notice: Notice<typeof SESSION, 'broadcast'>) => void;
  /** The way to the server has come or gone; login is not touched by it. */
  readonly onConnected: (connected: boolean) => void;
  /** Logged out by the server, or by oneself. */
  readonly onLogout: (reason: string) => void;
  readonly onLocked: (name: string, seconds: number) => void;
  /** Something the person should know of. */
  readonly onNotice: (code: ErrorCode, text: string) => void;
  /** Faults, for the log. */
  readonly onFault: (error: unknown) => void;
}
