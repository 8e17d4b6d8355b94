import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CANARY } from './canary-dashboard.ts';
import { CONTROL_PLANE } from './control-plane-dashboard.ts';
import type { Dashboard } from './dashboard.ts';
import { MESH } from './mesh-dashboard.ts';
import { renderDashboard } from './render.ts';
import { SERVICE_DASHBOARD } from './service-dashboard.ts';
import { WORKLOAD } from './workload-dashboard.ts';

/** Where the dashboards lie, from the top of the checkout. */
export const GRAFANA_FOLDER = 'config/grafana';

/** All dashboards there are. */
export const DASHBOARDS: readonly Dashboard[] = [MESH, SERVICE_DASHBOARD, WORKLOAD, CANARY, CONTROL_PLANE];

/** The files of all dashboards. @returns path from the top of the checkout → content */
export function grafanaFiles(): Map<string, string> {
  return new Map(
    DASHBOARDS.map((dashboard) => [
      `${GRAFANA_FOLDER}/${dashboard.uid}.json`,
      `${JSON.stringify(renderDashboard(dashboard), undefined, 2)}\n`,
    ]),
  );
}

/** Writes all dashboards, and removes those that are no more. @param root top of the checkout */
export async function generateGrafana(root: string = join(import.meta.dirname, '../..')): Promise<void> {
  const files = grafanaFiles();
  await mkdir(join(root, GRAFANA_FOLDER), { recursive: true });
  for (const name of await readdir(join(root, GRAFANA_FOLDER))) {
    if (!files.has(`${GRAFANA_FOLDER}/${name}`)) await rm(join(root, GRAFANA_FOLDER, name));
  }
  for (const [path, content] of files) await writeFile(join(root, path), content);
}
