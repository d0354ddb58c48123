import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasCode } from '../../lib/errors.ts';
import { gatewayUrl, parseDescription } from '../../lib/nat/igd-description.ts';
import { descriptionOf } from './fake-igd.ts';

const GATEWAY = '192.168.1.1';
const location = new URL('http://192.168.1.1:5000/dir/root.xml');
const ip = (version: number): string => `urn:schemas-upnp-org:service:WANIPConnection:${version}`;
const PPP = 'urn:schemas-upnp-org:service:WANPPPConnection:1';

const controls = (xml: string): string[] =>
  parseDescription(xml, location, GATEWAY).map(({ controlUrl }) => controlUrl.href);

describe('addresses that a gateway gives', () => {
  it('are those of HTTP at the gateway itself', () => {
    const good: [text: string, base: URL | undefined, href: string][] = [
      ['http://192.168.1.1:5000/a', undefined, 'http://192.168.1.1:5000/a'],
      ['HTTP://192.168.1.1/a?b=c', undefined, 'http://192.168.1.1/a?b=c'],
      ['/ctl', location, 'http://192.168.1.1:5000/ctl'],
      ['ctl', location, 'http://192.168.1.1:5000/dir/ctl'],
      ['//192.168.1.1:80/x', location, 'http://192.168.1.1/x'],
    ];
    for (const [text, base, href] of good)
      assert.equal(gatewayUrl(text, GATEWAY, base)?.href, href, text);
  });

  it('are no others', () => {
    const bad = ['', 'ctl', 'http://192.168.1.2/', 'https://192.168.1.1/', 'file:///etc/passwd'];
    bad.push('ftp://192.168.1.1/', 'http://192.168.1.1:0/', 'http://192.168.1.1:65536/');
    bad.push(
      'http://user@192.168.1.1/',
      'http://u:p@192.168.1.1/',
      'http://192.168.1.1.evil.example/',
    );
    bad.push(
      'http://192.168.1.1@evil.example/',
      'http://router.local/',
      'http://[::1]/',
      'javascript:1',
    );
    bad.push(`http://192.168.1.1/${'x'.repeat(1_024)}`, 'http://', 'data:text/xml,<a/>');
    for (const text of bad) assert.equal(gatewayUrl(text, GATEWAY), undefined, text);
    for (const text of ['//evil.example/x', 'http://evil.example/', 'file:///etc/passwd'])
      assert.equal(gatewayUrl(text, GATEWAY, location), undefined, text);
    fc.assert(
      fc.property(fc.oneof(fc.webUrl(), fc.string()), (text) => {
        const url = gatewayUrl(text, GATEWAY, location);
        if (url !== undefined)
          assert.equal(`${url.protocol}//${url.hostname}`, `http://${GATEWAY}`);
      }),
    );
  });
});

describe('the description of a gateway', () => {
  it('tells where the service is that maps ports', () => {
    for (const type of [ip(1), ip(2), PPP])
      assert.deepEqual(parseDescription(descriptionOf(type), location, GATEWAY), [
        { type, controlUrl: new URL('http://192.168.1.1:5000/control') },
      ]);
  });

  it('may tell of several: the better ones come first', () => {
    const services = [
      { type: PPP, control: '/ppp' },
      { type: ip(1), control: '/one' },
      { type: 'urn:schemas-upnp-org:service:Other:1', control: '/other' },
      { type: ip(2), control: '/two' },
      { type: ip(1), control: '/another' },
    ];
    assert.deepEqual(
      controls(descriptionOf(services)),
      ['two', 'one', 'another', 'ppp'].map((path) => `http://192.168.1.1:5000/${path}`),
    );
    const many = Array.from({ length: 50 }, (_, n) => ({ type: ip(1), control: `/${n}` }));
    assert.equal(controls(descriptionOf(many)).length, 8);
  });

  it('may have a base of its own, at the gateway', () => {
    const based = (base: string): string[] => controls(descriptionOf(ip(1), base));
    assert.deepEqual(based('http://192.168.1.1:49152/'), ['http://192.168.1.1:49152/control']);
    for (const base of ['http://evil.example/', 'file:///', 'nonsense'])
      assert.deepEqual(based(base), ['http://192.168.1.1:5000/control'], base);
  });

  it('points to no other place', () => {
    const evil = [
      'http://evil.example/c',
      'file:///etc/passwd',
      'http://192.168.1.1:0/c',
      '',
      'gopher://x',
    ];
    for (const control of evil)
      assert.deepEqual(controls(descriptionOf([{ type: ip(1), control }])), [], control);
    const both = [
      { type: ip(2), control: '//evil.example/c' },
      { type: ip(1), control: 'http://192.168.1.1/c?a=1&amp;b=2' },
    ];
    assert.deepEqual(controls(descriptionOf(both)), ['http://192.168.1.1/c?a=1&b=2']);
  });

  it('may have nothing in it', () => {
    const empty = [
      '<root/>',
      '<other/>',
      '',
      '<root><device/></root>',
      '<root><device>x</device></root>',
    ];
    empty.push('<root><device><serviceList><service/></serviceList></device></root>');
    empty.push('<html><body>Log in</body></html>', descriptionOf('urn:x'));
    for (const xml of empty) assert.deepEqual(controls(xml), [], xml);
  });

  it('is refused where it is a bomb, and does no harm whatever it is', () => {
    const isBad = (error: unknown): boolean => hasCode(error, 'BAD_MESSAGE');
    for (const bomb of [`<!DOCTYPE a>${descriptionOf(ip(1))}`, '<device>'.repeat(120_000)])
      assert.throws(() => controls(bomb), isBad);
    const whole = descriptionOf(ip(1));
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(60), fc.string(), (at, length, text) => {
        try {
          const changed = whole.slice(0, at) + text + whole.slice(at + length);
          for (const href of controls(changed)) assert.match(href, /^http:\/\/192\.168\.1\.1[:/]/);
        } catch (error) {
          assert(isBad(error), String(error));
        }
      }),
    );
  });
});
