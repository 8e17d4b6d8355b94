import { CliError } from './cli-error.ts';
import { paint } from './terminal/colour.ts';

/**
 * Puts a failure into words for a terminal: what, and what to do next.
 * @returns the text for stderr, and the exit code (see CliError)
 */
export function explainFailure(error: unknown): { readonly text: string; readonly code: number } {
  const { message, next, code } = asCliError(error);
  const hint = next === undefined ? '' : `\n${paint('dim', 'next:', process.stderr)} ${next}`;
  return { text: `${paint('red', 'error:', process.stderr)} ${message}${hint}`, code };
}

/** Errors of the API client are known by name, so that verbs that need no cluster need not load it. */
function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  const { name, message, code, reason } = error as Error & { code?: unknown; reason?: unknown };
  if (name === 'KubeConnectionError') {
    return new CliError(
      `the API server does not answer (${message})`,
      'see whether kubectl version answers, or name another context with --context',
      3,
    );
  }
  if (name === 'KubeError' && code === 403) {
    return new CliError(message, 'ask for the right, or see what you may with kubectl auth can-i --list', 3);
  }
  if (name === 'KubeError' && code === 401) return new CliError(message, 'log in to the cluster again', 3);
  if (name === 'KubeError') return new CliError(`${message} (${String(reason)})`);
  return new CliError(message ?? String(error));
}
