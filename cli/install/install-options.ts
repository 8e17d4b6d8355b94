import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CliError } from '../cli-error.ts';
import type { ClusterFlags } from '../cluster-options.ts';
import type { Choices, Settings } from './settings.ts';

/** What install and upgrade can be told. */
export interface ChoiceFlags extends ClusterFlags {
  readonly set: readonly string[];
  readonly values: readonly string[];
  readonly image?: string;
  readonly replicas?: number;
  readonly istioCrds: boolean;
  readonly wait: boolean;
  readonly timeout: string;
  readonly forceConflicts: boolean;
}

const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value];

/** Adds the options that install and upgrade share. */
export function withChoiceOptions(command: Command): Command {
  return command
    .option(
      '--set <key=value>',
      'a setting of the mesh, such as proxy.logLevel=info; see config/mesh.yaml',
      collect,
      [],
    )
    .option('--values <file>', 'settings of the mesh as YAML; several files, and --set, go on top', collect, [])
    .option('--image <image>', 'image of operator, webhook and init container')
    .option('--replicas <number>', "the operator's replicas", readReplicas)
    .option('--no-istio-crds', "leave Istio's definitions alone; else those that are not there are made")
    .option('--no-wait', 'do not wait until it serves')
    .addOption(new Option('--timeout <duration>', 'how long to wait').default('3m'))
    .addOption(new Option('--force-conflicts', 'take over fields that others have set').default(false));
}

const NOTHING: Choices = { settings: {} };

/**
 * Reads what the flags choose.
 * @returns puts it on top of what was chosen before, of which null takes a setting away
 * @throws {CliError} with code 2 naming the flag or file that is wrong
 */
export async function readChoices({
  set,
  values,
  image,
  replicas,
}: ChoiceFlags): Promise<(before?: Choices) => Choices> {
  const merge = await readLayers(set, values);
  return (before = NOTHING) => ({
    ...before,
    settings: merge(before.settings),
    ...(image === undefined ? {} : { image }),
    ...(replicas === undefined ? {} : { replicas }),
  });
}

/** Loads what knows all settings only where some are given. */
async function readLayers(set: readonly string[], values: readonly string[]): Promise<(before: Settings) => Settings> {
  if (set.length + values.length === 0) return (before) => before;
  const [{ mergeSettings, readAssignment }, { parse }] = await Promise.all([import('./settings.ts'), import('yaml')]);
  const layers: Settings[] = [];
  for (const file of values) layers.push(await readValues(file, parse));
  layers.push(...set.map(readAssignment));
  return (before) => layers.reduce(mergeSettings, before);
}

async function readValues(file: string, parse: (text: string) => unknown): Promise<Settings> {
  let value: unknown;
  try {
    value = parse(await readFile(file, 'utf8')) ?? {};
  } catch (error) {
    throw new CliError(`--values ${file}: ${(error as Error).message}`, undefined, 2);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CliError(`--values ${file}: must be a map of settings, as config/mesh.yaml is`, undefined, 2);
  }
  return value as Settings;
}

function readReplicas(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100) throw new InvalidArgumentError('must be 1 to 100.');
  return value;
}
