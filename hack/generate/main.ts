/**
 * `node hack/generate/main.ts [--if-stale]`: generates the protobuf code, the CRDs and the dashboards for Grafana. With `--if-stale`, a step whose
 * inputs are what they were when it last ended is left out.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GRAFANA_FOLDER, generateGrafana } from '../grafana/files.ts';
import { generateCrds } from './crds.ts';
import { descriptorSources } from './descriptors.ts';
import { generateProtobuf } from './protobuf.ts';
import { hashFiles, readStamp, removeStamp, writeStamp } from './stamp.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const HERE = import.meta.dirname;
const CRDS = join(HERE, 'crds.ts');
const GRAFANA = join(ROOT, 'hack', 'grafana');
const CRD_FOLDER = join(ROOT, 'manifests', 'base', 'crds');

interface Step {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly run: () => Promise<void> | void;
}

function log(message: string): void {
  console.log(`generate: ${message}`);
}

function steps(): Step[] {
  const packages = ['protobuf', 'protoc-gen-es'].map((name) =>
    join(ROOT, 'node_modules', '@bufbuild', name, 'package.json'),
  );
  return [
    {
      name: 'protobuf',
      inputs: [...descriptorSources(), ...packages, join(HERE, 'protobuf.ts'), join(HERE, 'descriptors.ts')],
      output: join(ROOT, 'generated', 'envoy'),
      run: () => generateProtobuf(log),
    },
    { name: 'crds', inputs: crdInputs(), output: CRD_FOLDER, run: runCrds },
    { name: 'grafana', inputs: sources(GRAFANA), output: join(ROOT, GRAFANA_FOLDER), run: runGrafana },
  ];
}

function crdInputs(): string[] {
  return [CRDS, join(HERE, 'crd-schema.ts'), ...sources(join(ROOT, 'api'))];
}

/** The sources in a folder, without their tests. */
function sources(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  return names.sort().map((name) => join(folder, name));
}

async function runGrafana(): Promise<void> {
  await generateGrafana();
  log('Wrote the dashboards for Grafana');
}

async function runCrds(): Promise<void> {
  await generateCrds();
  log('Wrote the CRDs');
}

async function main(): Promise<void> {
  const ifStale = process.argv.includes('--if-stale');
  for (const step of steps()) {
    const stamp = join(ROOT, 'generated', `.${step.name}.stamp`);
    const hash = hashFiles(step.inputs);
    if (ifStale && existsSync(step.output) && readStamp(stamp) === hash) continue;
    removeStamp(stamp);
    await step.run();
    writeStamp(stamp, hash);
  }
}

main().catch((error: unknown) => {
  console.error(`generate: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
