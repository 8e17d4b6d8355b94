/** Annotation by which a person tells the release under way what to do. The operator takes it away once it is carried out or refused. */
export const COMMAND_ANNOTATION = 'canary.heddle.dev/command';

/** What can be told. */
export const COMMANDS = ['promote', 'abort', 'retry', 'pause', 'resume'] as const;
export type Command = (typeof COMMANDS)[number];

/** `promote`, or `promote/REVISION`: then only for this revision. */
export interface GivenCommand {
  readonly command: Command;
  readonly revision: string | undefined;
}

/** Reads the value of the annotation; gives what is wrong with it when it is none. */
export function readCommand(value: string): GivenCommand | string {
  const [name = '', revision, ...rest] = value.split('/');
  const command = COMMANDS.find((each) => each === name);
  if (!command || rest.length > 0 || revision === '') {
    return `"${value.slice(0, 100)}" is no command; write one of ${COMMANDS.join(', ')}, or one with a revision, such as promote/5d9f8c`;
  }
  return { command, revision };
}
