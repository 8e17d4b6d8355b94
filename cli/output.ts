import { createRequire } from 'node:module';
import { type Command, Option } from 'commander';

// It takes a while to load, and most commands print none.
const loadYaml = (): typeof import('yaml') => createRequire(import.meta.url)('yaml') as typeof import('yaml');

/** How a list or an object is shown. */
export type Format = 'table' | 'wide' | 'json' | 'yaml';

/** Adds `-o`. */
export function withOutputOption(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'how to show it').choices(['table', 'wide', 'json', 'yaml']).default('table'),
  );
}

/** An object, or a list of them, as kubectl prints it. */
export function formatObjects(value: unknown, format: 'json' | 'yaml'): string {
  return format === 'json' ? JSON.stringify(value, undefined, 4) : loadYaml().stringify(value).trimEnd();
}

/** A List as kubectl makes it of several objects. */
export function listOf(items: readonly unknown[]): object {
  return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items };
}
