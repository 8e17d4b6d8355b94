/** One instruction of a Dockerfile, with the line it starts on. */
export type Instruction = { readonly keyword: string; readonly rest: string; readonly line: number };

/** `COPY [--from=STAGE] SOURCE… TARGET`. */
export type Copy = {
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly target: string;
  readonly line: number;
};

/** A stage: everything between one FROM and the next. */
export type Stage = {
  readonly base: string;
  readonly name: string | undefined;
  readonly line: number;
  readonly env: Readonly<Record<string, string>>;
  readonly user: string | undefined;
  readonly workdir: string;
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
  readonly copies: readonly Copy[];
  readonly runs: readonly Instruction[];
};

/** A Dockerfile says something the daemonless builder can't follow. The message names the line. */
export class DockerfileError extends Error {
  override readonly name = 'DockerfileError';
}

/** Splits a Dockerfile into instructions: comments and empty lines gone, continued lines joined. */
export function readInstructions(text: string): Instruction[] {
  const instructions: Instruction[] = [];
  let open: { text: string; line: number } | undefined;
  text.split('\n').forEach((raw, index) => {
    if (/^\s*#/.test(raw) || (open === undefined && raw.trim() === '')) return;
    const joined = open === undefined ? raw.trim() : `${open.text} ${raw.trim()}`;
    const line = open?.line ?? index + 1;
    if (joined.endsWith('\\')) {
      open = { text: joined.slice(0, -1).trim(), line };
      return;
    }
    open = undefined;
    const [, keyword = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(joined) ?? [];
    instructions.push({ keyword: keyword.toUpperCase(), rest: rest.trim(), line });
  });
  return instructions;
}

/**
 * The stages of a Dockerfile. Understood are FROM, ENV, USER, WORKDIR, ENTRYPOINT and CMD (as JSON), COPY, RUN, and EXPOSE and
 * LABEL, which change nothing here.
 * @throws DockerfileError for anything else, so that an image made without a daemon never silently differs.
 */
export function parseDockerfile(text: string): Stage[] {
  const stages: Stage[] = [];
  for (const instruction of readInstructions(text)) {
    if (instruction.keyword === 'FROM') {
      stages.push(openStage(instruction, stages));
      continue;
    }
    const stage = stages.pop();
    if (stage === undefined) throw problem(instruction, 'comes before the first FROM');
    stages.push(extendStage(stage, instruction));
  }
  if (stages.length === 0) throw new DockerfileError('the Dockerfile has no FROM');
  return stages;
}

/**
 * The stage with that name, or the last one, as `docker build --target` picks it.
 * @throws DockerfileError when there is none.
 */
export function findStage(stages: readonly Stage[], name: string | undefined): Stage {
  const stage = name === undefined ? stages.at(-1) : stages.find((each) => each.name === name);
  if (stage === undefined) throw new DockerfileError(`the Dockerfile has no stage named ${name}`);
  return stage;
}

function openStage(instruction: Instruction, earlier: readonly Stage[]): Stage {
  const [, base, name] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(instruction.rest) ?? [];
  if (base === undefined) throw problem(instruction, 'is not FROM IMAGE [AS NAME]');
  const parent = earlier.find((stage) => stage.name === base);
  if (parent !== undefined) return { ...parent, name, line: instruction.line };
  return {
    base,
    name,
    line: instruction.line,
    env: {},
    user: undefined,
    workdir: '/',
    entrypoint: undefined,
    command: undefined,
    copies: [],
    runs: [],
  };
}

function extendStage(stage: Stage, instruction: Instruction): Stage {
  switch (instruction.keyword) {
    case 'ENV':
      return { ...stage, env: { ...stage.env, ...parseEnvironment(instruction) } };
    case 'USER':
      return { ...stage, user: instruction.rest };
    case 'WORKDIR':
      return { ...stage, workdir: instruction.rest };
    case 'ENTRYPOINT':
      return { ...stage, entrypoint: parseWords(instruction), command: undefined };
    case 'CMD':
      return { ...stage, command: parseWords(instruction) };
    case 'COPY':
      return { ...stage, copies: [...stage.copies, parseCopy(instruction)] };
    case 'RUN':
      return { ...stage, runs: [...stage.runs, instruction] };
    case 'EXPOSE':
    case 'LABEL':
      return stage;
    default:
      throw problem(instruction, 'is not understood by the daemonless builder');
  }
}

function parseEnvironment(instruction: Instruction): Record<string, string> {
  const pairs = [...instruction.rest.matchAll(/([A-Za-z_]\w*)=(?:"([^"]*)"|(\S*))/g)];
  if (pairs.length === 0) throw problem(instruction, 'is not ENV NAME=VALUE');
  return Object.fromEntries(pairs.map(([, name = '', quoted, bare]) => [name, quoted ?? bare ?? '']));
}

function parseWords(instruction: Instruction): string[] {
  try {
    const words: unknown = JSON.parse(instruction.rest);
    if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words;
  } catch {
    // Falls through to the same answer as for JSON of another shape.
  }
  throw problem(instruction, 'must be a JSON list of strings, because the image has no shell');
}

function parseCopy(instruction: Instruction): Copy {
  const words = instruction.rest.split(/\s+/);
  const flags = words.filter((word) => word.startsWith('--'));
  const paths = words.filter((word) => !word.startsWith('--'));
  const unknown = flags.find((flag) => !flag.startsWith('--from='));
  if (unknown !== undefined) throw problem(instruction, `has ${unknown}, which the daemonless builder does not follow`);
  const target = paths.pop();
  if (target === undefined || paths.length === 0) throw problem(instruction, 'is not COPY SOURCE… TARGET');
  return { from: flags[0]?.slice('--from='.length), sources: paths, target, line: instruction.line };
}

/** The Debian packages that a RUN instruction installs; undefined when it does anything else. */
export function installedPackages(run: Instruction): string[] | undefined {
  const packages: string[] = [];
  for (const step of run.rest.split('&&').map((each) => each.trim())) {
    const words = step.split(/\s+/);
    if (words[0] === 'apt-get' && words.includes('install')) {
      packages.push(...words.slice(words.indexOf('install') + 1).filter((word) => !word.startsWith('-')));
    } else if (!/^apt-get update$|^rm -rf \/var\/lib\/apt\/lists\/\*$/.test(step)) {
      return undefined;
    }
  }
  return packages;
}

function problem(instruction: Instruction, what: string): DockerfileError {
  return new DockerfileError(
    `Dockerfile line ${instruction.line}: ${instruction.keyword} ${instruction.rest.slice(0, 60)}: ${what}`,
  );
}
