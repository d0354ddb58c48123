/**
 * HTTP and SOAP to a gateway: one exchange at a time, from our card to the address that was checked,
 * bounded in size, ended by its signal, and without following redirects.
 */
import { request as startRequest, type IncomingMessage } from 'node:http';
import { ClchatError } from '../errors.ts';
import type { IgdService } from './igd-description.ts';
import { escapeXml, MAX_XML_BYTES, parseXml, type XmlElement } from './xml.ts';

const MAX_HEADERS = 8 * 1024;

export interface HttpOptions {
  /** The address of our card that is asked from. */
  readonly own: string;
  readonly signal: AbortSignal;
  /** What is sent as a POST; a GET without. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpAnswer {
  readonly status: number;
  /** At most `MAX_XML_BYTES` of UTF-8. */
  readonly text: string;
}

/**
 * Asks a gateway. `url` has passed `gatewayUrl`.
 * @throws BAD_MESSAGE for what is no HTTP or too long, TIMEOUT where the gateway cannot be reached,
 *   the reason of the signal
 */
export function askByHttp(url: URL, options: HttpOptions): Promise<HttpAnswer> {
  const { own, signal, body, headers = {} } = options;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      request.destroy();
      reject(signal.aborted ? (signal.reason as Error) : failureOf(error));
    };
    const request = startRequest({
      host: url.hostname,
      port: url.port === '' ? 80 : Number(url.port),
      path: `${url.pathname}${url.search}`,
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...headers, Connection: 'close' },
      family: 4,
      localAddress: own,
      // No connection is kept for later, whatever the gateway would like.
      agent: false,
      maxHeaderSize: MAX_HEADERS,
      signal,
    });
    request.on('error', fail);
    request.on('response', (response) => readAll(response, fail, resolve));
    request.end(body);
  });
}

function readAll(
  response: IncomingMessage,
  fail: (error: unknown) => void,
  done: (answer: HttpAnswer) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_XML_BYTES) fail(new ClchatError('BAD_MESSAGE'));
    else chunks.push(chunk);
  });
  response.on('error', fail);
  response.on('end', () =>
    done({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
  );
}

function failureOf(cause: unknown): ClchatError {
  if (cause instanceof ClchatError) return cause;
  const code = (cause as { code?: unknown } | undefined)?.code;
  // HPE_*: what came was no HTTP. ECONNRESET: it ended too early, or never began.
  if (typeof code === 'string' && code.startsWith('HPE_'))
    return new ClchatError('BAD_MESSAGE', undefined, { cause });
  return new ClchatError('TIMEOUT', 'The gateway cannot be reached, or breaks off.', { cause });
}

/** What a gateway answered to an action: its values, or the number of an error. */
export type ActionResult =
  | { readonly values: XmlElement; readonly fault?: undefined }
  | { readonly values?: undefined; readonly fault: number };

/**
 * Calls an action of a service.
 * @throws BAD_MESSAGE, TIMEOUT, the reason of the signal
 */
export async function callAction(
  service: IgdService,
  action: string,
  values: Readonly<Record<string, string | number>>,
  options: { readonly own: string; readonly signal: AbortSignal },
): Promise<ActionResult> {
  const answer = await askByHttp(service.controlUrl, {
    ...options,
    body: encodeAction(service.type, action, values),
    headers: {
      'Content-Type': 'text/xml; charset="utf-8"',
      SOAPAction: `"${service.type}#${action}"`,
    },
  });
  return decodeResult(action, answer);
}

export function encodeAction(
  type: string,
  action: string,
  values: Readonly<Record<string, string | number>>,
): string {
  const inner = Object.entries(values).map(([name, value]) => {
    return `<${name}>${escapeXml(String(value))}</${name}>`;
  });
  return [
    '<?xml version="1.0"?>\r\n',
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"',
    ' s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>',
    `<u:${action} xmlns:u="${type}">${inner.join('')}</u:${action}>`,
    '</s:Body></s:Envelope>\r\n',
  ].join('');
}

/** @throws BAD_MESSAGE */
export function decodeResult(action: string, { status, text }: HttpAnswer): ActionResult {
  // A fault comes with 500; some gateways send it with 200.
  if (status !== 200 && status !== 500)
    throw new ClchatError('BAD_MESSAGE', `The gateway answers with the HTTP status ${status}.`);
  const body = parseXml(text).at('Envelope', 'Body');
  const fault = body?.at('Fault', 'detail', 'UPnPError', 'errorCode')?.text ?? '';
  if (/^\d{1,6}$/.test(fault)) return { fault: Number(fault) };
  const values = body?.at(`${action}Response`);
  if (status !== 200 || values === undefined) throw new ClchatError('BAD_MESSAGE');
  return { values };
}
