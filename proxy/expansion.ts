/**
 * Kubelet replaces `$(NAME)` in a container's arguments by environment variables, and `$$` by `$`. The bootstrap is such an argument:
 * references are written with `variable`, and every other dollar sign is escaped, so that no text of a user's is ever expanded.
 */

/** Private-use characters: no name, path or rule that we put into a bootstrap can hold them. */
const OPEN = '\uE000';
const CLOSE = '\uE001';

/** A reference to an environment variable of the container, for use within the strings of an object given to `toArgument`. */
export function variable(name: string): string {
  return `${OPEN}${name}${CLOSE}`;
}

/** An object as JSON (which is YAML with every string quoted) that kubelet expands to what was meant. */
export function toArgument(value: unknown): string {
  return JSON.stringify(value).replaceAll('$', '$$$$').replaceAll(OPEN, '$(').replaceAll(CLOSE, ')');
}

/** What kubelet makes of an argument: the same rules, for tests and for `envoy --mode validate`. */
export function expandArgument(argument: string, environment: Readonly<Record<string, string>>): string {
  return argument.replace(/\$(\$|\(([^)]*)\))/g, (text, kind: string, name: string | undefined) => {
    if (kind === '$') return '$';
    return name !== undefined && Object.hasOwn(environment, name) ? (environment[name] ?? text) : text;
  });
}
