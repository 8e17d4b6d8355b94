import { Command, Option } from 'commander';
import { CliError } from '../cli-error.ts';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { type Format, formatObjects, withOutputOption } from '../output.ts';

interface ExplainFlags extends ClusterFlags {
  readonly method?: string;
  readonly path?: string;
  readonly header: readonly string[];
  readonly tcp?: boolean;
  readonly live: boolean;
  readonly output: Format;
}

/** `heddle explain FROM TO`. */
export function explainCommand(): Command {
  const command = new Command('explain')
    .description('Says whether a request would pass, by which route, and who decides; no request is made.')
    .argument('<from>', 'who calls: a pod, NAMESPACE/NAME, deploy/NAME')
    .argument('<to>', 'what is called: a URL, HOST[:PORT], NAMESPACE/SERVICE[:PORT]')
    .option('-X, --method <method>', 'method of the request; GET unless told')
    .option('--path <path>', "path and query of the request; the URL's, or / unless told")
    .addOption(
      new Option('-H, --header <header>', 'a header, as for curl: "x-user: a"; may be given several times')
        .argParser((value: string, before: readonly string[]) => [...before, value])
        .default([] as readonly string[], 'none'),
    )
    .option('--tcp', 'a connection of opaque bytes, and no HTTP')
    .option('--no-live', "don't look at what the sidecars have at this moment")
    .addHelpText(
      'after',
      `
It is decided from the objects in the cluster, which you must be allowed to list, and held against what the sidecars have (port-forward).

  heddle explain deploy/ui http://ordering.shop/cart -H 'x-user: a'
  heddle explain shop/ui ordering:80 -X POST --path /orders
  heddle explain deploy/ui inventory.shop:5432 --tcp
  heddle explain deploy/ui ordering.shop -o json

Exit code 0: it passes, also where a sidecar answers with less than 400; 1: it does not, in part, or somebody else has the last word.`,
    );
  return withOutputOption(withClusterOptions(command)).action(async (from: string, to: string, flags: ExplainFlags) => {
    const { explainInCluster } = await import('./explain-in-cluster.ts');
    const { readDestination } = await import('./places.ts');
    const { reportJson } = await import('./report.ts');
    const { formatReport } = await import('./words.ts');
    const headers = flags.header.map(readHeader);
    const destination = readDestination(to);
    const report = await explainInCluster(await connect(flags), { ...flags, from, destination, headers });
    const { output } = flags;
    console.log(
      output === 'json' || output === 'yaml' ? formatObjects(reportJson(report), output) : formatReport(report),
    );
    process.exitCode = report.explanation.verdict === 'passes' ? 0 : 1;
  });
}

/** `name: value`, as curl takes it. */
export function readHeader(text: string): readonly [string, string] {
  const [, name, value] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):\s*(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    // Its value may be a token, and so may all of it.
    const [, start] = /^([^\s:]+)[\s:]/.exec(text) ?? [];
    const wrong = start === undefined ? 'a header has no name' : `the header "${start}…" is none`;
    throw new CliError(wrong, 'write it as "name: value"', 2);
  }
  return [name, value.trimEnd()];
}
