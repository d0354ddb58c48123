/** The readable text of ways to a server: its addresses, its invite link, ports of the gateway. */
import type { AppEvent, ServerView } from '../app/types.ts';
import { textOf } from '../errors.ts';
import { clean } from '../text.ts';
import { qrCode } from './qr-code.ts';
import type { Style } from './style.ts';

type Mapping = AppEvent & { event: 'mapping' };

const PROTOCOLS = { pcp: 'PCP', 'nat-pmp': 'NAT-PMP', upnp: 'UPnP' } as const;

/** What has become of the port of the gateway that leads to the server here. */
export function mappingText({ state, external = '?', protocol, code }: Mapping): string {
  const port = external.slice(external.lastIndexOf(':') + 1);
  const by = protocol === undefined ? '' : ` (by ${PROTOCOLS[protocol]})`;
  switch (state) {
    case 'mapped':
      return `From the internet this server is reached at ${external}${by}.`;
    case 'renewed':
      return `The gateway goes on leading ${external} here${by}.`;
    case 'lost':
      if (code === 'CARRIER_NAT')
        return `${code}: ${textOf(code)} Others do not see this server at ${external}.`;
      return `Port ${port} of the gateway leads here no more: nobody new comes in from the internet. It is asked for again.`;
    case 'failed':
      return `${code === undefined ? '' : `${code}: ${textOf(code)} `}This server is reached on this network only, for now.`;
    default:
      return state satisfies never;
  }
}

/** How others get to the server of this process. */
export function formatServer(
  { name, addresses, external, internet, invite }: ServerView,
  style: Pick<Style, 'colours' | 'plain'>,
  columns: number,
): string {
  const reachable = addresses.filter((address) => !/^(127\.|\[::1\])/.test(address));
  const list = (reachable.length > 0 ? reachable : addresses).map((address) => clean(address));
  const [first = ''] = list;
  const elsewhere = reachable.length === 0 ? 'machine' : 'network';
  const listens = `The server "${clean(name)}" listens on ${list.join(', ')}.`;
  if (internet !== true)
    return [
      listens,
      `Others on this ${elsewhere} join with:  clchat -lc`,
      `Where that finds nothing, with:    clchat -lc --connect ${first}`,
    ].join('\n');
  const code = invite === undefined ? undefined : qrCode(invite, style, columns);
  return [
    listens,
    ...(external === undefined ? [] : [`From the internet it is reached at ${clean(external)}.`]),
    'Others join, from anywhere that leads here, with:',
    `  clchat -c ${invite ?? external ?? first}`,
    ...(code === undefined ? [] : [code]),
  ].join('\n');
}
