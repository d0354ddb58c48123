import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { hasCode } from '../../lib/errors.ts';
import {
  admit,
  FIRST_MID,
  mappedCandidate,
  MEDIA,
  parseCandidate,
} from '../../lib/media/description.ts';
import { mutated } from '../support/mutate.ts';

/** As the library makes them, but for the ends of lines. */
const read = (name: string): string =>
  readFileSync(new URL(name, import.meta.url), 'utf8').replaceAll('\n', '\r\n');
const OFFER = read('offer.sdp');
const ANSWER = read('answer.sdp');
const LIMITS = { sound: 32_000, all: 500_000.4 };

const admitted = (description: string): string => admit(description, LIMITS);
const linesOf = (description: string): string[] => description.split('\r\n');
const refused = (description: string, what: RegExp): void =>
  assert.throws(() => admitted(description), { code: 'BAD_MESSAGE', message: what });
/** With lines put in after the one that begins so, for each such line. */
const withLines = (after: string, ...lines: readonly string[]): string =>
  linesOf(OFFER)
    .flatMap((line) => (line.startsWith(after) ? [line, ...lines] : [line]))
    .join('\r\n');

describe('a description of another peer', () => {
  for (const [name, description] of [
    ['offer', OFFER],
    ['answer', ANSWER],
  ] as const)
    it(`is let through when it is an ${name} of the library, with limits written into it`, () => {
      const expected = linesOf(description).flatMap((line, at, all) => {
        if (line.startsWith('a=fmtp:111 '))
          return ['a=fmtp:111 minptime=10;useinbandfec=1;maxaveragebitrate=32000'];
        const isOfVideo = all[at - 1]?.startsWith('m=video') === true;
        return line.startsWith('c=') && isOfVideo ? [line, 'b=TIAS:500000'] : [line];
      });
      assert.deepEqual(linesOf(admitted(description)), expected);
    });

  it('has its sound in longer packets where there are few bits for it', () => {
    const few = admit(`${OFFER.trimEnd()}\r\n`, { sound: 20_000, all: 80_000 });
    const sound = linesOf(few).slice(
      0,
      linesOf(few).findIndex((line) => line.startsWith('m=video')),
    );
    assert.deepEqual(
      sound.filter((line) => line.startsWith('a=ptime:')),
      ['a=ptime:60'],
    );
    // When so little has come is told to nobody; when pictures have come is.
    assert.doesNotMatch(sound.join('\n'), /transport-(?:cc|wide-cc)/);
    assert.match(few.slice(few.indexOf('m=video')), /transport-cc/);
    assert.doesNotMatch(admitted(OFFER), /a=(?:max)?ptime/);
    assert.match(admitted(OFFER).split('m=video')[0]!, /transport-cc/);
    const own = admitted(withLines('a=rtpmap:111', 'a=ptime:10', 'a=maxptime:120'));
    assert.doesNotMatch(own, /a=(?:max)?ptime/);
  });

  it('is the same when it was let through once', () => {
    assert.equal(admitted(admitted(OFFER)), admitted(OFFER));
    const other = admit(admitted(OFFER), { sound: 40_000, all: 80_000 });
    assert.equal(other, admit(OFFER, { sound: 40_000, all: 80_000 }));
  });

  it('may end its lines by either end', () => {
    assert.equal(admitted(OFFER.replaceAll('\r\n', '\n')), admitted(OFFER));
    assert.equal(admitted(OFFER.trimEnd()), admitted(OFFER));
  });

  it('loses its limits to ours', () => {
    const bands = withLines('c=', 'b=AS:9999999', 'b=TIAS:9999999');
    assert.equal(admitted(bands), admitted(OFFER));
    const head = OFFER.replace('t=0 0\r\n', 't=0 0\r\nb=CT:9999999\r\n');
    assert.equal(admitted(head), admitted(OFFER));
  });

  it('loses its limits of sound to ours, wherever they are written', () => {
    for (const parameters of [
      'maxaveragebitrate=510000;minptime=10',
      'minptime=10;maxaveragebitrate=510000',
      'maxaveragebitrate=1;minptime=10;maxaveragebitrate=510000',
      'minptime=10',
    ]) {
      const fast = OFFER.replace('minptime=10;useinbandfec=1', parameters);
      const line = linesOf(admitted(fast)).find((one) => one.startsWith('a=fmtp:111 '));
      assert.equal(line, 'a=fmtp:111 minptime=10;maxaveragebitrate=32000');
    }
  });

  it('has its limit of sound under each number that its format has', () => {
    const twice = ['a=rtpmap:110 opus/48000/2', 'a=fmtp:110 minptime=10'];
    const lines = linesOf(admitted(withLines('a=rtpmap:111 ', ...twice)));
    assert(lines.includes('a=fmtp:110 minptime=10;maxaveragebitrate=32000'));
    assert(lines.includes('a=fmtp:97 apt=96'), 'which is of pictures');
  });

  it('loses its candidates, wherever they are', () => {
    const candidate = 'a=candidate:1 1 udp 2122194687 192.0.2.2 43404 typ host';
    const lines = [candidate, 'a=end-of-candidates', 'a=remote-candidates:1 192.0.2.2 43404'];
    assert.equal(admitted(withLines('a=mid:', ...lines)), admitted(OFFER));
    assert.equal(admitted(withLines('a=group:', ...lines)), admitted(OFFER));
  });

  it('may have its keys above all media', () => {
    const keys = linesOf(OFFER).filter((line) =>
      /^a=(?:fingerprint|ice-ufrag|ice-pwd):/.test(line),
    );
    const above = linesOf(OFFER)
      .filter((line) => !keys.includes(line))
      .flatMap((line) => (line === 't=0 0' ? [line, ...keys.slice(0, 3)] : [line]));
    assert.match(admitted(above.join('\r\n')), /^v=0\r\n/);
  });

  it('has to have the names of media that candidates go by', () => {
    assert(OFFER.includes(`a=mid:${FIRST_MID}\r\n`));
    assert.equal(MEDIA.length, 3);
  });

  describe('is refused', () => {
    const video = OFFER.slice(OFFER.indexOf('m=video'));
    const camera = video.slice(0, video.lastIndexOf('m=video'));

    it('when it is too long', () => {
      const long = (characters: number): string => {
        const line = `b=x:${'x'.repeat(1_000)}\r\n`;
        const lines = OFFER + line.repeat(Math.floor((characters - OFFER.length) / line.length));
        return `${lines}b=${'x'.repeat(characters - lines.length - 4)}\r\n`;
      };
      assert.equal(long(32_768).length, 32_768);
      admitted(long(32_768));
      refused(long(32_769), /too long/);
    });

    it('when it has too many lines', () => {
      const more = 400 - (linesOf(OFFER).length - 1);
      admitted(OFFER + 'b=x\r\n'.repeat(more));
      refused(OFFER + 'b=x\r\n'.repeat(more + 1), /too many lines/);
    });

    it('when a line is too long', () => {
      admitted(`${OFFER}b=${'x'.repeat(1_022)}\r\n`);
      refused(`${OFFER}b=${'x'.repeat(1_023)}\r\n`, /of a line\./);
    });

    for (const line of [
      'a=x\0',
      'a=\u001b[2J',
      'a=x\ty',
      'a=x\ry',
      'a=é',
      'a=\u2028',
      'a=\u{1f600}',
      '',
      'x',
      'A=x',
      ' a=x',
      'aa=x',
      '=x',
    ])
      it(`when a line is ${JSON.stringify(line)}`, () => {
        refused(withLines('a=rtcp-mux', line), /of a line\./);
      });

    for (const line of [
      'a=x',
      'a=simulcast:send 1;2',
      'a=rid:1 send',
      'a=ssrc-group:SIM 1 2',
      'a=ssrc-group:FEC-FR 1 2',
      'a=ice-lite',
      'a=ice-options:trickle renomination',
      'a=extmap:9 urn:ietf:params:rtp-hdrext:encrypt',
      'a=extmap:2/sendonly http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
      'a=cryptex',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x',
      'a=rtcp-fb:* nack',
      'a=rtcp-fb:96 rrtr',
      'a=rtpmap:98 VP9/90000',
      'a=rtpmap:98 H264/90000',
      'a=rtpmap:98 AV1/90000',
      'a=rtpmap:98 red/90000',
      'a=rtpmap:98 ulpfec/90000',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:126 telephone-event/8000',
      'a=fmtp:111 stereo=1',
      'a=fmtp:111 minptime=10; useinbandfec=1',
      'a=fmtp:97 apt=96;rtx-time=3000',
      'a=fingerprint:md5 00',
      'a=sctp-port:5000',
      'a=inactive',
      'i=x',
      'k=clear:x',
    ])
      it(`when it has what our library does not write: ${line}`, () => {
        for (const after of ['t=0 0', 'a=rtpmap:111 ', 'a=rtpmap:96 '])
          refused(withLines(after, line), /of a line that no call needs/);
      });

    it('when what is of sound is with pictures, and the other way round', () => {
      refused(withLines('a=rtpmap:111 ', 'a=rtpmap:110 VP8/90000'), /of a line that no call/);
      refused(withLines('a=rtpmap:96 ', 'a=rtpmap:98 opus/48000/2'), /of a line that no call/);
    });

    it('when a format is that of no codec that is named', () => {
      refused(OFFER.replace('SAVPF 111', 'SAVPF 111 0'), /of a format/);
      refused(OFFER.replaceAll('a=rtpmap:97 rtx/90000\r\n', ''), /of a format/);
    });

    it('when it has twice what there is one of', () => {
      for (const line of ['a=sendrecv', 'a=setup:active', 'c=IN IP4 192.0.2.2', 'a=msid:- x'])
        refused(withLines('a=rtcp-mux', line), /something is there twice/);
      refused(withLines('a=ssrc-group:', 'a=ssrc-group:FID 1 2'), /something is there twice/);
      refused(withLines('a=mid:0', 'a=mid:1'), /of the name of a medium/);
    });

    it('when a medium comes from more sources than one, and one for what is sent again', () => {
      refused(withLines('a=ssrc-group:', 'a=ssrc:1 cname:x'), /too many sources/);
    });

    it('when it has another number of media', () => {
      for (const wrong of [
        '',
        '\r\n',
        'v=0\r\n',
        OFFER.slice(0, OFFER.indexOf('m=')),
        OFFER + camera,
      ])
        refused(wrong, wrong === '\r\n' ? /of a line/ : /of the number of media/);
      refused(OFFER.slice(0, OFFER.lastIndexOf('m=')), /of the number of media/);
    });

    it('when its media are others, or in another order', () => {
      const sound = OFFER.slice(OFFER.indexOf('m='), OFFER.indexOf('m=video'));
      refused(OFFER.replace(sound, '') + sound, /of a medium/);
      refused(OFFER.replace('m=video', 'm=audio'), /of a medium/);
      refused(OFFER.replace('m=video', 'm=application'), /of a medium/);
      for (const medium of [
        'm=audio 9 RTP/AVP 111',
        'm=audio 9 UDP/TLS/RTP/SAVPF',
        'm=audio 9 UDP/TLS/RTP/SAVPF x',
        'm=audio 9 UDP/TLS/RTP/SAVPF 1111',
        'm=audio 123456 UDP/TLS/RTP/SAVPF 111',
        `m=audio 9 UDP/TLS/RTP/SAVPF${' 111'.repeat(17)}`,
      ])
        refused(OFFER.replace(/m=audio .*/, medium), /of a medium/);
    });

    it('when its media have other names', () => {
      refused(OFFER.replace('a=mid:0', 'a=mid:audio'), /of the name of a medium/);
      const swapped = OFFER.replace('a=mid:1', 'a=mid:x').replace('a=mid:2', 'a=mid:1');
      refused(swapped.replace('a=mid:x', 'a=mid:2'), /of the name of a medium/);
    });

    for (const key of ['a=fingerprint:sha-256 ', 'a=ice-ufrag:', 'a=ice-pwd:'])
      it(`when a medium lacks ${key}`, () => {
        const at = OFFER.lastIndexOf(key);
        refused(OFFER.slice(0, at) + OFFER.slice(OFFER.indexOf('\n', at) + 1), /is missing/);
      });

    it('when its fingerprint is of a hash that is too weak', () => {
      refused(OFFER.replaceAll('sha-256', 'sha-1'), /is missing/);
    });
  });

  it('throws nothing but BAD_MESSAGE, whatever it is', () => {
    const isRefused = (description: string): void => {
      try {
        admitted(description);
      } catch (error) {
        assert(hasCode(error, 'BAD_MESSAGE'), String(error));
      }
    };
    fc.assert(fc.property(fc.string({ unit: 'binary' }), isRefused));
    const samples = [OFFER, ANSWER].map((one) => Buffer.from(one, 'latin1'));
    fc.assert(
      fc.property(mutated(samples), (bytes) => isRefused(Buffer.from(bytes).toString('latin1'))),
      { numRuns: 500 },
    );
    const lines = fc.array(fc.constantFrom(...new Set(linesOf(OFFER))), { maxLength: 500 });
    fc.assert(fc.property(lines, (those) => isRefused(those.join('\r\n'))));
  });

  it('costs no more, the worse it is', () => {
    // Each is what one of the patterns could be slow with, and as long as may be.
    const most = 32_000;
    const bombs = [
      'm=audio 9 UDP/TLS/RTP/SAVPF 1\r\n'.repeat(most / 32),
      `m=audio 9 UDP/TLS/RTP/SAVPF${' 1'.repeat(500)}\r\n`.repeat(30),
      withLines(
        'a=fmtp:111',
        ...Array<string>(25).fill(`a=fmtp:111 ${'maxaveragebitrate=1;'.repeat(50)}`),
      ),
      withLines('a=fmtp:111', ...Array<string>(25).fill(`a=fmtp:111 ${' '.repeat(1_000)}`)),
      withLines('a=rtcp-mux', ...Array<string>(290).fill('a=rtpmap:1 opus/48000')),
      withLines('a=fmtp:111', ...Array<string>(25).fill(`a=extmap:1 urn:${':'.repeat(1_000)}`)),
      withLines('a=fmtp:111', ...Array<string>(25).fill(`a=msid:${'x '.repeat(500)}`)),
      withLines('a=mid:', ...Array<string>(90).fill(`a=ssrc:1 cname:${'x'.repeat(60)}`)),
      '\r\n'.repeat(most / 2),
      '\n'.repeat(most),
      '\r'.repeat(most),
      `a=${' '.repeat(most)}`,
      `${OFFER}a=candidate:${'1 '.repeat(500)}\r\n`,
    ];
    for (const bomb of bombs) {
      const begun = process.cpuUsage();
      for (let times = 0; times < 20; times++)
        try {
          admitted(bomb);
        } catch (error) {
          assert(hasCode(error, 'BAD_MESSAGE'));
        }
      // A pattern that goes wrong takes minutes for these.
      assert(process.cpuUsage(begun).user < 5_000_000, bomb.slice(0, 60));
    }
  });
});

describe('a candidate', () => {
  const written = (ip: string, port: number | string = 43_404, type = 'host'): string =>
    `candidate:3229573512 1 udp 2122194687 ${ip} ${port} typ ${type} generation 0 ufrag Yuwp`;

  it('says where another device may be reached', () => {
    assert.deepEqual(parseCandidate(written('192.0.2.2')), {
      ip: '192.0.2.2',
      port: 43_404,
      type: 'host',
    });
    for (const type of ['host', 'srflx', 'prflx', 'relay'])
      assert.equal(parseCandidate(written('192.0.2.2', 1_024, type))?.type, type);
    assert.equal(parseCandidate(written('fd00::2', 65_535))?.ip, 'fd00::2');
    assert.equal(parseCandidate(written('169.254.3.4'))?.ip, '169.254.3.4');
    assert.equal(parseCandidate(written('192.0.2.2').replace('udp', 'UDP'))?.port, 43_404);
  });

  it('has one form of each address, so that what this host is called can be told', () => {
    for (const ip of ['::1', '0:0:0:0:0:0:0:1', '0::1', '::0001'])
      assert.equal(parseCandidate(written(ip))?.ip, '::1');
    assert.equal(parseCandidate(written('FD00:0::2'))?.ip, 'fd00::2');
  });

  for (const [what, ip] of [
    ['a name', 'localhost'],
    ['a name of multicast DNS', '1c8f6f5e-9b2c-4b5e-a8a5-5b8e1f8d6b1a.local'],
    ['no address', ''],
    ['an address that is none', '192.0.2'],
    ['an address that is none', '192.0.2.256'],
    ['an address that is written otherwise', '0xc0000202'],
    ['an address that is written otherwise', '192.0.2.010'],
    ['brackets', '[fd00::2]'],
    ['a group of hosts', '224.0.0.251'],
    ['a group of hosts', 'ff02::fb'],
    ['all hosts', '255.255.255.255'],
    ['no host', '0.0.0.0'],
    ['no host', '::'],
    ['no host', '0:0::0'],
    ['an address that is good on one link', 'fe80::1'],
    ['an address that is good on one link', 'FE80:0::1'],
    ['the name of a card', 'fe80::1%eth0'],
    ['the name of a card', 'fd00::1%lo'],
    ['an address of the other family', '::ffff:127.0.0.1'],
    ['an address of the other family', '::ffff:7f00:1'],
    ['an address of the other family', '::7f00:1'],
  ] as const)
    it(`is of no use with ${what}: ${ip}`, () => {
      assert.equal(parseCandidate(written(ip)), undefined);
    });

  for (const port of [0, 1, 22, 53, 1_023, 65_536, 99_999, 123_456, -1, '0x2000', '4e3', ''])
    it(`is of no use with the port ${JSON.stringify(port)}`, () => {
      assert.equal(parseCandidate(written('192.0.2.2', port)), undefined);
    });

  for (const [from, to] of [
    [' udp ', ' tcp '],
    [' udp ', ' ssltcp '],
    [' 1 udp', ' 2 udp'],
    [' 2122194687 ', ' -1 '],
    [' 2122194687 ', ' 21221946870 '],
    ['candidate:', 'a=candidate:'],
    ['candidate:', 'candidate'],
    ['3229573512', ''],
    ['3229573512', '1'.repeat(33)],
    ['3229573512', 'a;b'],
    [' typ ', ' type '],
    [' host', ' hosts'],
    [' host', ''],
    [' typ', '  typ'],
    ['generation', '\0'],
    ['generation', '\r\na=x'],
    ['generation', 'é'],
    ['generation', 'x'.repeat(500)],
  ] as const)
    it(`is of no use with ${JSON.stringify(to.slice(0, 40))} for ${JSON.stringify(from)}`, () => {
      assert.equal(parseCandidate(written('192.0.2.2').replace(from, to)), undefined);
    });

  it('is of no use when there is none', () => {
    assert.equal(parseCandidate(''), undefined);
  });

  it('is read or not, and never more', () => {
    const samples = [written('192.0.2.2'), written('fd00::2')].map((one) => Buffer.from(one));
    fc.assert(
      fc.property(mutated(samples), (bytes) => {
        const candidate = parseCandidate(Buffer.from(bytes).toString('latin1'));
        if (candidate === undefined) return;
        assert(candidate.port >= 1_024 && candidate.port <= 65_535);
        assert.match(candidate.ip, /^[\da-f.:]+$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('of a port of the gateway comes after that of the host', () => {
    const own = written('192.0.2.2', 50_000);
    const mapped = mappedCandidate(own, { ip: '11.0.0.7', port: 50_001 });
    assert.equal(
      mapped,
      'candidate:32295735129 1 udp 1685987071 11.0.0.7 50001 typ srflx raddr 192.0.2.2 rport 50000',
    );
    assert.deepEqual(parseCandidate(mapped), { ip: '11.0.0.7', port: 50_001, type: 'srflx' });
  });
});
