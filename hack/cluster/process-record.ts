/**
 * A process that we started. A pid alone may be another process by the time we want to stop it; the pid together with the
 * time it started (in clock ticks since boot) and the boot it belongs to is never anybody else's.
 */
export type ProcessRecord = {
  readonly name: string;
  readonly pid: number;
  readonly startTicks: string;
  readonly bootId: string;
};

/**
 * The start time in `/proc/PID/stat` (proc(5), field 22), in clock ticks since boot. The second field is the program's name in
 * parentheses and may itself hold spaces and parentheses, so fields count from the last closing one.
 * @throws Error when the text is not a stat line.
 */
export function parseStartTicks(stat: string): string {
  const fields = stat
    .slice(stat.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/);
  const ticks = fields[19];
  if (!stat.includes(')') || ticks === undefined || !/^\d+$/.test(ticks)) {
    throw new Error(`not a line of /proc/PID/stat: ${stat.slice(0, 80)}`);
  }
  return ticks;
}

/** Whether a process is only waiting to be reaped (state Z in `/proc/PID/stat`): it is dead to everyone but its parent. */
export function isZombie(stat: string): boolean {
  return /^\s*Z/.test(stat.slice(stat.lastIndexOf(')') + 1));
}

/**
 * Reads a record as {@link formatRecord} wrote it; undefined when the text is damaged, because a record that can't be trusted
 * must not lead to a kill.
 */
export function parseRecord(text: string): ProcessRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, pid, startTicks, bootId } = value as Record<string, unknown>;
  if (typeof name !== 'string' || typeof startTicks !== 'string' || typeof bootId !== 'string') return undefined;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 1) return undefined;
  return { name, pid, startTicks, bootId };
}

/** A record as one line of JSON. */
export function formatRecord(record: ProcessRecord): string {
  return `${JSON.stringify(record)}\n`;
}
