import { spawn } from 'node:child_process';

const OPENERS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
  linux: ['xdg-open'],
};

/** Opens a page in the user's browser, where there is a screen to see it on. Whether it can is not known: the address is printed all the same. */
export function openBrowser(url: string, platform: NodeJS.Platform = process.platform, env = process.env): void {
  const opener = openerFor(platform, env);
  if (opener === undefined) return;
  const [program = '', ...args] = opener;
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}

/** The command that opens a page; undefined where nobody would see it: over SSH, in a container, in CI. */
export function openerFor(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): readonly string[] | undefined {
  if (env.CI !== undefined || env.SSH_CONNECTION !== undefined) return undefined;
  const hasScreen = platform !== 'linux' || env.DISPLAY !== undefined || env.WAYLAND_DISPLAY !== undefined;
  return hasScreen ? OPENERS[platform] : undefined;
}
