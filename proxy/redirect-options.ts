import {
  type Parser,
  parseInterfaces,
  parsePortList,
  parsePorts,
  parseRangeList,
  parseRanges,
} from './annotation-values.ts';
import { PROXY_DEFAULTS } from './options.ts';
import type { RedirectOptions } from './redirect.ts';

/** Environment variable of the init container that carries the options as JSON. */
export const REDIRECT_ENV = 'HEDDLE_REDIRECT';

const FIELDS = {
  includeInboundPorts: parsePorts,
  excludeInboundPorts: parsePortList,
  includeOutboundPorts: parsePortList,
  excludeOutboundPorts: parsePortList,
  includeOutboundRanges: parseRanges,
  excludeOutboundRanges: parseRangeList,
  excludeInterfaces: parseInterfaces,
} as const satisfies { [K in keyof RedirectOptions]: Parser<RedirectOptions[K]> };

type Field = keyof typeof FIELDS;

/** The options as one JSON object; fields that equal the default are left out, so that most pods carry `{}`. */
export function formatRedirectOptions(options: RedirectOptions): string {
  const fields = (Object.keys(FIELDS) as Field[]).map((name) => [name, String(options[name])] as const);
  return JSON.stringify(Object.fromEntries(fields.filter(([name, text]) => text !== String(PROXY_DEFAULTS[name]))));
}

/**
 * The reverse of `formatRedirectOptions`; each field is text as in its annotation.
 * @throws {SyntaxError | RangeError} naming the field, when it is not what is expected
 */
export function parseRedirectOptions(json: string): RedirectOptions {
  const given: unknown = JSON.parse(json);
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new RangeError('it must be a JSON object');
  const options: Record<string, unknown> = { ...PROXY_DEFAULTS };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(FIELDS, name)) throw new RangeError(`there is no option "${name}"`);
    const parser = FIELDS[name as Field];
    const parsed = typeof value === 'string' ? parser.read(value) : undefined;
    if (parsed === undefined) throw new RangeError(`${name} must be ${parser.expected}`);
    options[name] = parsed;
  }
  return options as unknown as RedirectOptions;
}
