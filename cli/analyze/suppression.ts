import { CliError } from '../cli-error.ts';
import { CODES } from './codes.ts';
import { type Message, originOf } from './message.ts';

/**
 * Reads `CODE=KIND/namespace/name`, where each part of the origin may have `*` (istioctl's `CODE=KIND name.namespace` as well), or `CODE` alone.
 * @returns whether a message is to be left out
 * @throws {CliError} with code 2 for what is none
 */
export function readSuppression(text: string): (message: Message) => boolean {
  const [code = '', origin] = text.split(/=(.*)/s, 2);
  if (!Object.hasOwn(CODES, code)) {
    throw new CliError(`${code} is no code of a message`, 'see those there are with heddle analyze --list', 2);
  }
  if (origin === undefined) return (message) => message.code === code;
  const istio = /^(\S+) ([^./\s]+)(?:\.(\S+))?$/.exec(origin);
  const wanted =
    istio === null
      ? origin.replace('/', ' ')
      : `${istio[1]} ${istio[3] === undefined ? '' : `${istio[3]}/`}${istio[2]}`;
  const pattern = new RegExp(
    `^${wanted
      .split('*')
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
      .join('.*')}$`,
    'i',
  );
  return (message) => message.code === code && pattern.test(originOf(message.object));
}
