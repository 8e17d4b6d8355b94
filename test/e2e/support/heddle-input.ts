import { execFile } from 'node:child_process';
import { inTree } from '../../../hack/mesh/install.ts';

/** What a command printed, and its exit code. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `heddle` as a person does, against the cluster under test.
 * @param input for its standard input
 */
export function heddle(args: readonly string[], input = ''): Promise<Ran> {
  const { HEDDLE_TEST_CONTEXT: context, HEDDLE_TEST_KUBECONFIG: kubeconfig } = process.env;
  const where = context === undefined || args.includes('--') ? [] : ['--context', context];
  const env = { ...process.env, NODE_OPTIONS: '--no-warnings', ...(kubeconfig ? { KUBECONFIG: kubeconfig } : {}) };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [inTree('cli/main.ts'), ...args, ...where],
      { env },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr });
      },
    );
    child.stdin?.end(input);
  });
}
