import {
  type Parser,
  parseDomain,
  parseInterfaces,
  parsePortList,
  parsePorts,
  parseRangeList,
  parseRanges,
} from './annotation-values.ts';
import { REDIRECT_DEFAULTS, type RedirectOptions } from './redirect.ts';

/** Environment variable of the init container that carries the options as JSON. */
export const REDIRECT_ENV = 'HEDDLE_REDIRECT';

type Field = keyof RedirectOptions;

const FIELDS: { readonly [K in Field]: Parser<RedirectOptions[K]> } = {
  includeInboundPorts: parsePorts,
  excludeInboundPorts: parsePortList,
  includeOutboundPorts: parsePortList,
  excludeOutboundPorts: parsePortList,
  includeOutboundRanges: parseRanges,
  excludeOutboundRanges: parseRangeList,
  excludeInterfaces: parseInterfaces,
  captureDnsOutside: parseDomain,
};

/** The options as one JSON object; fields that equal the default are left out, so that most pods carry `{}`. */
export function formatRedirectOptions(options: RedirectOptions): string {
  const fields = (Object.keys(FIELDS) as Field[]).map((name) => [name, String(options[name])] as const);
  return JSON.stringify(Object.fromEntries(fields.filter(([name, text]) => text !== String(REDIRECT_DEFAULTS[name]))));
}

/**
 * The reverse of `formatRedirectOptions`; each field is text as in its annotation.
 * @throws {SyntaxError | RangeError} naming the field, when it is not what is expected
 */
export function parseRedirectOptions(json: string): RedirectOptions {
  const given: unknown = JSON.parse(json);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new RangeError('it must be a JSON object');
  }
  const fields = new Map<string, unknown>(Object.entries(given));
  const unknown = [...fields.keys()].find((name) => !Object.hasOwn(FIELDS, name));
  if (unknown !== undefined) throw new RangeError(`there is no option "${unknown}"`);
  return {
    includeInboundPorts: read(fields, 'includeInboundPorts'),
    excludeInboundPorts: read(fields, 'excludeInboundPorts'),
    includeOutboundPorts: read(fields, 'includeOutboundPorts'),
    excludeOutboundPorts: read(fields, 'excludeOutboundPorts'),
    includeOutboundRanges: read(fields, 'includeOutboundRanges'),
    excludeOutboundRanges: read(fields, 'excludeOutboundRanges'),
    excludeInterfaces: read(fields, 'excludeInterfaces'),
    captureDnsOutside: read(fields, 'captureDnsOutside'),
  };
}

function read<K extends Field>(fields: ReadonlyMap<string, unknown>, name: K): RedirectOptions[K] {
  const value = fields.get(name);
  if (value === undefined) return REDIRECT_DEFAULTS[name];
  const parser: Parser<RedirectOptions[K]> = FIELDS[name];
  const parsed = typeof value === 'string' ? parser.read(value) : undefined;
  if (parsed === undefined) throw new RangeError(`${name} must be ${parser.expected}`);
  return parsed;
}
