/**
 * A gateway that speaks UPnP on sockets of 127.0.0.1: SSDP, its description, SOAP. Written from the
 * standards and without anything of the program's own XML.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { FakeUdp } from './fake-pmp.ts';

export interface IgdEntry {
  client: string;
  internalPort: number;
  description: string;
  lease: number;
  enabled: boolean;
}

type Arguments = Readonly<Record<string, string>>;

export class FakeIgd {
  readonly version: 1 | 2;
  address = '11.0.0.2';
  /** By `TCP 1234`. */
  readonly entries = new Map<string, IgdEntry>();
  /** Numbers of errors, by action. */
  readonly faults = new Map<string, number>();
  /** What actions were called, in their order. */
  readonly calls: { readonly action: string; readonly values: Arguments }[] = [];
  readonly paths: string[] = [];
  /** Answers in place of this gateway, where it returns true. */
  override: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  /** In place of its own. */
  description: string | undefined;
  /** Instead of the place of its own description. */
  location: string | undefined;
  /** The only lease that it knows, as some do. */
  leases: 'any' | 'permanent' = 'any';
  /** What it makes of the texts beside mappings. */
  rewrite: (description: string) => string = (description) => description;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #ssdp: FakeUdp | undefined;

  private constructor(version: 1 | 2) {
    this.version = version;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async open(version: 1 | 2 = 1): Promise<FakeIgd> {
    const igd = new FakeIgd(version);
    igd.#server.listen(0, '127.0.0.1');
    await once(igd.#server, 'listening');
    igd.#ssdp = await FakeUdp.open((bytes) => igd.#search(bytes.toString()));
    return igd;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get ssdpPort(): number {
    return this.#ssdp?.port ?? 0;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  get serviceType(): string {
    return `urn:schemas-upnp-org:service:WANIPConnection:${this.version}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#ssdp?.close();
  }

  #search(text: string): Buffer[] {
    const target = /^ST: (.+)\r$/m.exec(text)?.[1];
    if (
      !text.startsWith('M-SEARCH * HTTP/1.1\r\n') ||
      target?.endsWith(`:${this.version}`) !== true
    )
      return [];
    return [searchAnswer(target, this.location ?? `${this.origin}/root.xml`)];
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.paths.push(request.url ?? '');
    if (this.override(request, response)) return;
    if (request.method === 'GET') {
      response.end(this.description ?? descriptionOf(this.serviceType));
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const [, action = ''] = /^"(?:.*)#(\w+)"$/.exec(request.headers.soapaction as string) ?? [];
    const values = argumentsIn(text);
    this.calls.push({ action, values });
    const result = this.#act(action, values);
    response.statusCode = typeof result === 'number' ? 500 : 200;
    response.end(
      typeof result === 'number' ? soapFault(result) : soapAnswer(action, this.serviceType, result),
    );
  }

  /** @returns the values of an answer, or the number of an error */
  #act(action: string, values: Arguments): Arguments | number {
    const fault = this.faults.get(action);
    if (fault !== undefined) return fault;
    const key = `${values['NewProtocol']} ${values['NewExternalPort']}`;
    const entry = this.entries.get(key);
    switch (action) {
      case 'GetExternalIPAddress':
        return { NewExternalIPAddress: this.address };
      case 'GetStatusInfo':
        return { NewConnectionStatus: 'Connected', NewLastConnectionError: '', NewUptime: '1' };
      case 'GetSpecificPortMappingEntry':
        return entry === undefined ? 714 : showEntry(entry);
      case 'DeletePortMapping':
        return this.entries.delete(key) ? {} : 714;
      case 'AddPortMapping':
      case 'AddAnyPortMapping':
        return this.#add(action, values);
      default:
        return 401;
    }
  }

  #add(action: string, values: Arguments): Arguments | number {
    if (action === 'AddAnyPortMapping' && this.version === 1) return 401;
    const lease = Number(values['NewLeaseDuration']);
    if (lease !== 0 && this.leases === 'permanent') return 725;
    let port = Number(values['NewExternalPort']);
    const isOthers = (): boolean => {
      const entry = this.entries.get(`${values['NewProtocol']} ${port}`);
      return entry !== undefined && entry.client !== values['NewInternalClient'];
    };
    if (isOthers() && action === 'AddPortMapping') return 718;
    while (isOthers()) port++;
    this.entries.set(`${values['NewProtocol']} ${port}`, {
      client: values['NewInternalClient'] ?? '',
      internalPort: Number(values['NewInternalPort']),
      description: this.rewrite(values['NewPortMappingDescription'] ?? ''),
      lease,
      enabled: values['NewEnabled'] === '1',
    });
    return action === 'AddPortMapping' ? {} : { NewReservedPort: String(port) };
  }
}

function showEntry(entry: IgdEntry): Arguments {
  return {
    NewInternalPort: String(entry.internalPort),
    NewInternalClient: entry.client,
    NewEnabled: entry.enabled ? '1' : '0',
    NewPortMappingDescription: entry.description,
    NewLeaseDuration: String(entry.lease),
  };
}

export function searchAnswer(target: string, location: string): Buffer {
  const lines = ['CACHE-CONTROL: max-age=120', `ST: ${target}`, `USN: uuid:1::${target}`, 'EXT:'];
  return Buffer.from(
    ['HTTP/1.1 200 OK', ...lines, `Location: ${location}`, 'SERVER: x UPnP/1.1', '', ''].join(
      '\r\n',
    ),
  );
}

/** A description as gateways have it: devices within devices. */
export function descriptionOf(
  services: string | readonly { readonly type: string; readonly control: string }[],
  base = '',
): string {
  const list = typeof services === 'string' ? [{ type: services, control: '/control' }] : services;
  const xml = list.map(
    ({ type, control }) =>
      `<service><serviceType>${type}</serviceType><serviceId>urn:upnp-org:serviceId:x</serviceId>` +
      `<SCPDURL>/x.xml</SCPDURL><controlURL>${control}</controlURL><eventSubURL>/e</eventSubURL></service>`,
  );
  return `<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>
${base === '' ? '' : `<URLBase>${base}</URLBase>`}
<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType>
<serviceList><service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType><controlURL>/l3f</controlURL></service></serviceList>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType>
<serviceList>${xml.join('')}</serviceList></device></deviceList></device></deviceList></device></root>`;
}

function soapAnswer(action: string, type: string, values: Arguments): string {
  const inner = Object.entries(values).map(
    ([name, value]) => `<${name}>${escape(value)}</${name}>`,
  );
  return envelope(`<u:${action}Response xmlns:u="${type}">${inner.join('')}</u:${action}Response>`);
}

export function soapFault(number: number): string {
  return envelope(
    `<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>` +
      `<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>${number}</errorCode>` +
      `<errorDescription>so</errorDescription></UPnPError></detail></s:Fault>`,
  );
}

function envelope(body: string): string {
  return (
    `<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ` +
    `s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>${body}</s:Body></s:Envelope>`
  );
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function argumentsIn(text: string): Arguments {
  const values: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(/<(New\w+)>([^<]*)<\/\1>/g))
    values[name] = value.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  return values;
}
