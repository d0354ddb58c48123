import assert from 'node:assert/strict';
import type { AppEvent } from '../../lib/app/types.ts';
import { formatServer, mappingText } from '../../lib/ui/format-network.ts';
import { BARE } from '../../lib/ui/style.ts';

const server = { id: 'x', name: 'acme', connected: true };
const addresses = ['127.0.0.1:49152', '10.0.0.2:49152', '10.0.1.2:49152'];
const invite = 'clchat:Aaurq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urBAsAAALAAAbOsOUj';
const COLOURED = { ...BARE, plain: false, colours: true };

describe('where a server can be joined', () => {
  const shown = (view: object, style = BARE, columns = 80): string =>
    formatServer({ ...server, addresses, invite, ...view }, style, columns);

  it('is said on its network', () => {
    assert.equal(
      shown({}),
      [
        'The server "acme" listens on 10.0.0.2:49152, 10.0.1.2:49152.',
        'Others on this network join with:  clchat -lc',
        'Where that finds nothing, with:    clchat -lc --connect 10.0.0.2:49152',
      ].join('\n'),
    );
    assert.match(
      shown({ addresses: ['127.0.0.1:49152'] }),
      /on this machine join.*\n.*--connect 127\.0\.0\.1:49152$/,
    );
  });

  it('is said for the internet, with the link', () => {
    assert.equal(
      shown({ internet: true, external: '11.0.0.2:49152' }),
      [
        'The server "acme" listens on 10.0.0.2:49152, 10.0.1.2:49152.',
        'From the internet it is reached at 11.0.0.2:49152.',
        'Others join, from anywhere that leads here, with:',
        `  clchat -c ${invite}`,
      ].join('\n'),
    );
    assert.doesNotMatch(shown({ internet: true }), /From the internet/);
  });

  it('is shown as a QR code where that can be seen', () => {
    const lines = shown({ internet: true }, COLOURED).split('\n').slice(3);
    assert.ok(lines.length > 15 && lines.length < 25, `${lines.length} lines`);
    for (const line of lines) assert.match(line, /^\u001b\[97;40m[ █▀▄]{30,60}\u001b\[0m$/);
    assert.equal(shown({ internet: true }, COLOURED, 30).split('\n').length, 3);
  });
});

describe('what becomes of a port of the gateway', () => {
  const said = (state: object): string =>
    mappingText({ event: 'mapping', ...state } as AppEvent & { event: 'mapping' });

  it('is said with what follows from it', () => {
    assert.equal(
      said({ state: 'mapped', external: '11.0.0.2:49152', protocol: 'upnp' }),
      'From the internet this server is reached at 11.0.0.2:49152 (by UPnP).',
    );
    assert.match(
      said({ state: 'renewed', external: '11.0.0.9:1', protocol: 'pcp' }),
      /goes on .* \(by PCP\)/,
    );
    assert.match(
      said({ state: 'lost', external: '11.0.0.9:7', code: 'TIMEOUT' }),
      /^Port 7 .* no more/,
    );
    assert.match(
      said({ state: 'lost', external: '11.0.0.9:7', code: 'CARRIER_NAT' }),
      /^CARRIER_NAT: .*Others do not see this server at 11\.0\.0\.9:7/,
    );
    assert.match(said({ state: 'failed', code: 'NO_GATEWAY' }), /^NO_GATEWAY: .*this network only/);
  });
});
