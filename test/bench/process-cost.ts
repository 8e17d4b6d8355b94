import { readdir, readFile } from 'node:fs/promises';

/** CPU of all threads of a process so far, as the scheduler counts it, in seconds. */
export async function cpuSeconds(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const used = await Promise.all(threads.map((id) => readFile(`/proc/${pid}/task/${id}/schedstat`, 'utf8')));
  return used.reduce((sum, text) => sum + Number(text.split(' ')[0]), 0) / 1e9;
}

/** What is in memory of a process, in bytes. */
export async function residentSet(pid: number): Promise<number> {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
