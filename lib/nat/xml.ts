/**
 * Small XML documents from gateways, which nobody vouches for: bounded in size and depth, without
 * document types, and with the five entities that XML itself has. The only file that imports
 * fast-xml-parser.
 */
import { XMLParser } from 'fast-xml-parser';
import { ClchatError } from '../errors.ts';

/** Longest document, in bytes. */
export const MAX_XML_BYTES = 64 * 1024;
/** Deepest nesting; a gateway's description needs about a dozen. */
const MAX_DEPTH = 32;

const parser = new XMLParser({
  processEntities: false,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  parseTagValue: false,
  alwaysCreateTextNode: true,
  maxNestedTags: MAX_DEPTH,
  isArray: () => true,
});
const TEXT = '#text';

/** An element: what it holds, by the names of its children without their prefixes. */
export class XmlElement {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(fields: Readonly<Record<string, unknown>>) {
    this.#fields = fields;
  }

  /** The children of a name, in their order. */
  all(name: string): XmlElement[] {
    const found = Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
    if (!Array.isArray(found)) return [];
    return found.map((one) => new XmlElement(isFields(one) ? one : {}));
  }

  /** The first child along a path of names. */
  at(...path: readonly string[]): XmlElement | undefined {
    return path.reduce<XmlElement | undefined>((element, name) => element?.all(name)[0], this);
  }

  /** Its text without the white space around it, empty where there is none. */
  get text(): string {
    const text = this.#fields[TEXT];
    return typeof text === 'string' ? unescape(text) : '';
  }
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/**
 * Parses a document, leniently. What is returned has its outermost element as a child.
 * @throws BAD_MESSAGE
 */
export function parseXml(text: string): XmlElement {
  const isSmall = text.length <= MAX_XML_BYTES && Buffer.byteLength(text) <= MAX_XML_BYTES;
  // No gateway has use for a document type, and all bombs are made of them.
  if (!isSmall || /<!\s*(?:DOCTYPE|ENTITY)/i.test(text)) throw new ClchatError('BAD_MESSAGE');
  try {
    const parsed: unknown = parser.parse(text);
    if (isFields(parsed)) return new XmlElement(parsed);
  } catch (cause) {
    throw new ClchatError('BAD_MESSAGE', undefined, { cause });
  }
  throw new ClchatError('BAD_MESSAGE');
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  apos: "'",
  gt: '>',
  lt: '<',
  quot: '"',
};

/** Text with the entities of XML itself in place of what would be taken for markup. */
export function escapeXml(text: string): string {
  return text.replace(
    /[&'<>"]/g,
    (sign) => `&${Object.keys(ENTITIES).find((name) => ENTITIES[name] === sign)};`,
  );
}

function unescape(text: string): string {
  return text.replace(/&(\w{2,4});/g, (whole, name: string) =>
    Object.hasOwn(ENTITIES, name) ? ENTITIES[name]! : whole,
  );
}
