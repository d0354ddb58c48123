/** The part of the library that is used here; its own types ask for those of a browser. */
declare module '@roamhq/wrtc' {
  interface Description {
    readonly type: 'offer' | 'answer';
    readonly sdp: string;
  }

  interface Track {
    readonly kind: 'audio' | 'video';
    stop(): void;
  }

  interface Sender {
    replaceTrack(track: Track | null): Promise<void>;
  }

  interface Transceiver {
    readonly mid: string | null;
    direction: 'sendrecv' | 'recvonly' | 'sendonly' | 'inactive';
    readonly sender: Sender;
    readonly receiver: { readonly track: Track };
    setCodecPreferences(codecs: readonly Codec[]): void;
  }

  interface Codec {
    readonly mimeType: string;
  }

  interface IceServer {
    readonly urls: string | readonly string[];
    readonly username?: string;
    readonly credential?: string;
  }

  interface CandidateInit {
    readonly candidate: string;
    readonly sdpMid: string;
    readonly sdpMLineIndex: number;
  }

  interface Report {
    readonly id: string;
    readonly type: string;
    readonly [key: string]: unknown;
  }

  class RTCPeerConnection {
    constructor(options: {
      readonly iceServers: readonly IceServer[];
      readonly bundlePolicy: 'max-bundle';
      readonly portRange?: { readonly min: number; readonly max: number };
    });
    readonly connectionState:
      'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed';
    onicecandidate: ((event: { readonly candidate: CandidateInit | null }) => void) | null;
    onconnectionstatechange: (() => void) | null;
    addTransceiver(track: Track, init: { readonly direction: 'sendrecv' }): Transceiver;
    getTransceivers(): Transceiver[];
    createOffer(options?: { readonly iceRestart?: boolean }): Promise<Description>;
    createAnswer(): Promise<Description>;
    setLocalDescription(description: Description): Promise<void>;
    setRemoteDescription(description: Description): Promise<void>;
    addIceCandidate(candidate: CandidateInit): Promise<void>;
    getStats(): Promise<ReadonlyMap<string, Report>>;
    close(): void;
  }

  interface Capabilities {
    getCapabilities(kind: 'audio' | 'video'): { readonly codecs: readonly Codec[] };
  }

  interface I420 {
    readonly width: number;
    readonly height: number;
    readonly data: Uint8Array;
  }

  interface Samples {
    readonly samples: Int16Array;
    readonly sampleRate: number;
    readonly bitsPerSample: number;
    readonly channelCount: number;
    readonly numberOfFrames: number;
  }

  class RTCVideoSource {
    constructor(options?: { readonly isScreencast?: boolean; readonly needsDenoising?: boolean });
    createTrack(): Track;
    onFrame(frame: I420): void;
  }

  class RTCVideoSink {
    constructor(track: Track);
    onframe: ((event: { readonly frame: I420 }) => void) | null;
    stop(): void;
  }

  class RTCAudioSource {
    createTrack(): Track;
    onData(data: Samples): void;
  }

  class RTCAudioSink {
    constructor(track: Track);
    ondata: ((data: Samples) => void) | null;
    stop(): void;
  }

  const library: {
    readonly RTCPeerConnection: typeof RTCPeerConnection;
    readonly RTCRtpReceiver: Capabilities;
    readonly nonstandard: {
      readonly RTCVideoSource: typeof RTCVideoSource;
      readonly RTCVideoSink: typeof RTCVideoSink;
      readonly RTCAudioSource: typeof RTCAudioSource;
      readonly RTCAudioSink: typeof RTCAudioSink;
    };
  };
  export default library;
  export type {
    IceServer,
    RTCAudioSink,
    RTCAudioSource,
    RTCPeerConnection,
    RTCVideoSink,
    RTCVideoSource,
    Track,
    Transceiver,
  };
}
