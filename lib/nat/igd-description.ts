/** What a gateway says of itself by UPnP: which of its services map ports, and where they are asked. */
import { parseXml, type XmlElement } from './xml.ts';

export interface IgdService {
  readonly type: string;
  readonly controlUrl: URL;
}

/** The services that map ports, the best first. */
const SERVICES = [
  'urn:schemas-upnp-org:service:WANIPConnection:2',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANPPPConnection:1',
];
const MAX_URL = 1_024;
/** Services of one gateway that are told of: a modem may have one for each kind of line. */
const MAX_SERVICES = 8;

/**
 * An address that a gateway gave, as one that may be asked: by HTTP, at the gateway itself.
 * @param base what a relative one is relative to
 * @returns undefined for any other
 */
export function gatewayUrl(text: string, gateway: string, base?: URL): URL | undefined {
  if (text === '' || text.length > MAX_URL || !URL.canParse(text, base?.href)) return undefined;
  const url = new URL(text, base);
  const isPlain = url.protocol === 'http:' && url.username === '' && url.password === '';
  return isPlain && url.hostname === gateway && url.port !== '0' ? url : undefined;
}

/**
 * The services of a gateway that map ports, the best first.
 * @param location where the description came from
 * @throws BAD_MESSAGE for what is no XML within its bounds
 */
export function parseDescription(xml: string, location: URL, gateway: string): IgdService[] {
  const root = parseXml(xml).at('root');
  if (root === undefined) return [];
  const base = gatewayUrl(root.at('URLBase')?.text ?? '', gateway) ?? location;
  return devicesIn(root)
    .flatMap((device) => device.at('serviceList')?.all('service') ?? [])
    .flatMap((service) => {
      const type = service.at('serviceType')?.text ?? '';
      const controlUrl = gatewayUrl(service.at('controlURL')?.text ?? '', gateway, base);
      return SERVICES.includes(type) && controlUrl !== undefined ? [{ type, controlUrl }] : [];
    })
    .sort((a, b) => SERVICES.indexOf(a.type) - SERVICES.indexOf(b.type))
    .slice(0, MAX_SERVICES);
}

/** The devices in a list of devices, and all within them. Their depth is bounded by that of the XML. */
function devicesIn(list: XmlElement): XmlElement[] {
  return list
    .all('device')
    .flatMap((device) => [device, ...device.all('deviceList').flatMap(devicesIn)]);
}
