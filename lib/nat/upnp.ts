/** UPnP Internet Gateway Device, versions 1 and 2: a client. */
import { isIPv4 } from 'node:net';
import { ClchatError } from '../errors.ts';
import {
  carrierNat,
  type GatewayClient,
  type Granted,
  type MappedPort,
  type MapRequest,
} from './gateway-client.ts';
import { gatewayUrl, parseDescription, type IgdService } from './igd-description.ts';
import type { Route } from './route.ts';
import { askByHttp, callAction, type ActionResult } from './soap.ts';
import type { XmlElement } from './xml.ts';

/** Numbers of errors (UPnP Device Architecture 1.1, 3.2.2; WANIPConnection:2, 2.5). */
const FAULT = {
  invalidArgs: 402,
  actionFailed: 501,
  noSuchEntry: 714,
  conflict: 718,
  samePortRequired: 724,
  onlyPermanentLeases: 725,
  noPortsLeft: 728,
  conflictWithOtherMechanism: 729,
} as const;
/** Another port may be had, or at least the own one. */
const TAKEN: readonly number[] = [
  FAULT.conflict,
  FAULT.samePortRequired,
  FAULT.conflictWithOtherMechanism,
];
/** Said by gateways that know mappings for good only; the second by old ones. */
const NO_LEASES: readonly number[] = [FAULT.onlyPermanentLeases, FAULT.invalidArgs];

/** What stands in the gateway's table for a port. */
interface Entry {
  readonly client: string;
  readonly internalPort: number;
  readonly isEnabled: boolean;
  readonly description: string;
  /** Seconds that are left; Infinity: for good; undefined where it is not told. */
  readonly lifetime: number | undefined;
}

/** `unknown` where the gateway does not tell. */
type Look = Entry | 'none' | 'unknown';

export interface UpnpOptions {
  readonly route: Route;
  /** Where the gateway's description lies, as SSDP told it. */
  readonly location: string;
  /** What stands beside our mappings in the gateway's table; by it our own are known again. */
  readonly description: string;
}

export class UpnpClient implements GatewayClient {
  readonly protocol = 'upnp';
  readonly gateway: string;
  readonly #own: string;
  readonly #service: IgdService;
  readonly #description: string;
  /** How the gateway writes our description, where it changes it. */
  readonly #shown = new Set<string>();

  private constructor({ route, description }: UpnpOptions, service: IgdService) {
    this.gateway = route.gateway;
    this.#own = route.own;
    this.#service = service;
    this.#description = description;
    this.#shown.add(description);
  }

  /**
   * Reads the gateway's description and chooses the service that maps ports.
   * @throws BAD_MESSAGE where it has none, TIMEOUT
   */
  static async open(options: UpnpOptions, signal: AbortSignal): Promise<UpnpClient> {
    const { gateway, own } = options.route;
    const location = gatewayUrl(options.location, gateway);
    if (location === undefined)
      throw new ClchatError('BAD_MESSAGE', 'The gateway points to a description at another place.');
    const { status, text } = await askByHttp(location, { own, signal });
    if (status !== 200)
      throw new ClchatError('BAD_MESSAGE', `The gateway answers with the HTTP status ${status}.`);
    const services = parseDescription(text, location, gateway);
    const clients = services.map((service) => new UpnpClient(options, service));
    // A modem describes a service for each kind of line, and one of them is connected.
    if (clients.length > 1)
      for (const client of clients) if (await client.#isConnected(signal)) return client;
    if (clients[0] !== undefined) return clients[0];
    throw new ClchatError('BAD_MESSAGE', 'The gateway describes no service that maps ports.');
  }

  /** The service that is spoken to. */
  get service(): string {
    return this.#service.type;
  }

  async externalAddress(signal: AbortSignal): Promise<string> {
    const { values, fault } = await this.#call('GetExternalIPAddress', {}, signal);
    if (fault === FAULT.actionFailed) throw carrierNat();
    if (fault !== undefined) throw refused(fault);
    const address = textIn(values, 'NewExternalIPAddress');
    if (address === '' || address === '0.0.0.0') throw carrierNat();
    if (!isIPv4(address)) throw new ClchatError('BAD_MESSAGE');
    return address;
  }

  async map(request: MapRequest, signal: AbortSignal): Promise<Granted> {
    const before = await this.#look(request, signal);
    if (isEntry(before) && !this.#isOurs(before, request)) {
      const { client, internalPort, isEnabled, lifetime } = before;
      // What somebody has set up for this very port serves us too, and stays as it is.
      if (client === this.#own && internalPort === request.internalPort && isEnabled)
        return { externalPort: request.externalPort, lifetime: lifetime ?? request.lifetime };
      // Some gateways would overwrite it.
      return this.#addAny(request, signal);
    }
    const { fault } = await this.#add('AddPortMapping', request, signal);
    if (fault === undefined) return this.#granted(request, signal);
    if (TAKEN.includes(fault)) return this.#addAny(request, signal);
    throw refused(fault);
  }

  async unmap(mapped: MappedPort, signal: AbortSignal): Promise<void> {
    const entry = await this.#look(mapped, signal);
    if (entry === 'none') return;
    if (entry === 'unknown')
      throw new ClchatError('MAPPING_REFUSED', 'The gateway does not show what it maps.');
    if (!this.#isOurs(entry, mapped)) return;
    const { fault } = await this.#call('DeletePortMapping', keyOf(mapped), signal);
    if (fault !== undefined && fault !== FAULT.noSuchEntry) throw refused(fault);
  }

  async isThere(mapped: MappedPort, signal: AbortSignal): Promise<boolean> {
    const entry = await this.#look(mapped, signal);
    if (!isEntry(entry)) return entry === 'unknown';
    const { client, internalPort, isEnabled } = entry;
    return client === this.#own && internalPort === mapped.internalPort && isEnabled;
  }

  close(): void {
    // No connection outlives its exchange.
  }

  async #isConnected(signal: AbortSignal): Promise<boolean> {
    const { values } = await this.#call('GetStatusInfo', {}, signal);
    return values !== undefined && textIn(values, 'NewConnectionStatus') === 'Connected';
  }

  async #add(
    action: 'AddPortMapping' | 'AddAnyPortMapping',
    request: MapRequest,
    signal: AbortSignal,
  ): Promise<ActionResult> {
    const values = {
      ...keyOf(request),
      NewInternalPort: request.internalPort,
      NewInternalClient: this.#own,
      NewEnabled: 1,
      NewPortMappingDescription: this.#description,
      NewLeaseDuration: request.lifetime,
    };
    const result = await this.#call(action, values, signal);
    if (result.fault === undefined || !NO_LEASES.includes(result.fault)) return result;
    return this.#call(action, { ...values, NewLeaseDuration: 0 }, signal);
  }

  /** Lets the gateway choose a port, which version 2 can. */
  async #addAny(request: MapRequest, signal: AbortSignal): Promise<Granted> {
    if (!this.#service.type.endsWith(':2')) throw new ClchatError('PORT_TAKEN');
    const { values, fault } = await this.#add('AddAnyPortMapping', request, signal);
    if (fault === FAULT.noPortsLeft) throw refused(fault);
    if (fault !== undefined) throw new ClchatError('PORT_TAKEN');
    const externalPort = numberIn(values, 'NewReservedPort') ?? 0;
    if (externalPort === 0 || externalPort > 65_535) throw new ClchatError('BAD_MESSAGE');
    return this.#granted({ ...request, externalPort }, signal);
  }

  /** Reads what the gateway has made of a request that it has granted. */
  async #granted(request: MapRequest, signal: AbortSignal): Promise<Granted> {
    const { externalPort } = request;
    const entry = await this.#look(request, signal);
    if (!isEntry(entry)) return { externalPort, lifetime: request.lifetime };
    if (entry.client !== this.#own || entry.internalPort !== request.internalPort)
      throw new ClchatError('PORT_TAKEN');
    this.#shown.add(entry.description);
    return { externalPort, lifetime: entry.lifetime ?? request.lifetime };
  }

  async #look(mapped: MappedPort, signal: AbortSignal): Promise<Look> {
    const action = 'GetSpecificPortMappingEntry';
    const { values, fault } = await this.#call(action, keyOf(mapped), signal);
    if (fault !== undefined) return fault === FAULT.noSuchEntry ? 'none' : 'unknown';
    const lease = numberIn(values, 'NewLeaseDuration');
    return {
      client: textIn(values, 'NewInternalClient'),
      internalPort: numberIn(values, 'NewInternalPort') ?? 0,
      isEnabled: /^(?:1|true|yes)$/i.test(textIn(values, 'NewEnabled')),
      description: textIn(values, 'NewPortMappingDescription'),
      lifetime: lease === 0 ? Infinity : lease,
    };
  }

  #isOurs(entry: Entry, { internalPort }: MappedPort): boolean {
    return (
      entry.client === this.#own &&
      entry.internalPort === internalPort &&
      this.#shown.has(entry.description)
    );
  }

  #call(
    action: string,
    values: Readonly<Record<string, string | number>>,
    signal: AbortSignal,
  ): Promise<ActionResult> {
    return callAction(this.#service, action, values, { own: this.#own, signal });
  }
}

function isEntry(look: Look): look is Entry {
  return typeof look === 'object';
}

/** The arguments that name a mapping: of any host outside, as all of ours are. */
function keyOf({ transport, externalPort }: MappedPort) {
  return {
    NewRemoteHost: '',
    NewExternalPort: externalPort,
    NewProtocol: transport.toUpperCase(),
  };
}

function textIn(values: XmlElement, name: string): string {
  return values.at(name)?.text ?? '';
}

function numberIn(values: XmlElement, name: string): number | undefined {
  const text = textIn(values, name);
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

function refused(fault: number): ClchatError {
  const code = fault === FAULT.noPortsLeft ? 'PORT_EXHAUSTED' : 'MAPPING_REFUSED';
  return new ClchatError(code, undefined, { data: { upnp: fault } });
}
