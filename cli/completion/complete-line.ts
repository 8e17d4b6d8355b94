import type { Command, Option } from 'commander';
import { askNames, type NameKind } from './names.ts';

/** What an argument or the value of an option is the name of, by how it is written in the help. */
const KINDS: Readonly<Record<string, NameKind>> = {
  namespace: 'namespaces',
  context: 'contexts',
  pod: 'pods',
  target: 'pods',
  from: 'pods',
};
/** What the argument `name` is the name of, by its command or the one above that. */
const NAMES_OF: Readonly<Record<string, NameKind>> = {
  canary: 'canaries',
  cert: 'trustrotations',
  pod: 'pods',
  service: 'services',
};

/** Where a line stands: the command so far, the options given, and what is written now. */
interface Position {
  readonly command: Command;
  readonly options: Readonly<Record<string, string>>;
  /** An option that waits for its value. */
  readonly pending: Option | undefined;
  /** Arguments before the word. */
  readonly given: number;
  readonly word: string;
}

/**
 * Candidates for the last of the words of a line.
 * @param root the program
 * @param words of the line after the program's name; the last may be empty
 * @param ask gives names of things in the cluster
 * @returns a line each: the candidate, and after a tab a few words on it
 */
export async function completeLine(
  root: Command,
  words: readonly string[],
  ask: typeof askNames = askNames,
): Promise<string[]> {
  const position = locate(root, words);
  const { command, pending, word, options } = position;
  const start = ({ line }: { line: string }) => line.startsWith(word);
  if (pending) {
    const fixed = pending.argChoices ?? [];
    const names = fixed.length > 0 ? fixed : await ask(kindOfOption(pending), options);
    return names.filter((name) => name.startsWith(word));
  }
  if (word.startsWith('-')) {
    return command
      .createHelp()
      .visibleOptions(command)
      .map((option) => ({ line: `${option.long ?? option.short}\t${option.description}` }))
      .filter(start)
      .map(({ line }) => line);
  }
  const subcommands = command.createHelp().visibleCommands(command);
  if (subcommands.length > 0 && position.given === 0) {
    return subcommands
      .map((each) => ({ line: `${each.name()}\t${each.description()}` }))
      .filter(start)
      .map(({ line }) => line);
  }
  const argument = command.registeredArguments[Math.min(position.given, command.registeredArguments.length - 1)];
  if (!argument || (position.given >= command.registeredArguments.length && !argument.variadic)) return [];
  const fixed = argument.argChoices ?? [];
  const name = argument.name();
  const named = NAMES_OF[command.name()] ?? NAMES_OF[command.parent?.name() ?? ''];
  const kind = name === 'name' ? named : KINDS[name];
  const names = fixed.length > 0 ? fixed : await ask(kind, options);
  return names.filter((each) => each.startsWith(word));
}

function locate(root: Command, words: readonly string[]): Position {
  let command = root;
  let pending: Option | undefined;
  let given = 0;
  const options: Record<string, string> = {};
  for (const word of words.slice(0, -1)) {
    if (pending) {
      options[pending.attributeName()] = word;
      pending = undefined;
    } else if (word.startsWith('-')) {
      const [flag, value] = word.split('=', 2);
      const option = command.options.find(({ long, short }) => flag === long || flag === short);
      if (value !== undefined && option) options[option.attributeName()] = value;
      else if (option?.required) pending = option;
    } else {
      const next =
        given === 0
          ? command.commands.find((each) => each.name() === word || each.aliases().includes(word))
          : undefined;
      if (next) command = next;
      else given++;
    }
  }
  return { command, options, pending, given, word: words.at(-1) ?? '' };
}

function kindOfOption(option: Option): NameKind | undefined {
  return KINDS[option.attributeName()];
}
