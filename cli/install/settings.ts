import { isMap, parse, parseDocument } from 'yaml';
import { readMeshConfig } from '../../api/mesh-config.ts';
import { CliError } from '../cli-error.ts';

/** What a user wants otherwise than the manifests have it; kept with the installation, so that an upgrade has it as well. */
export interface Choices {
  /** Of config/mesh.yaml, nested as there. */
  readonly settings: Settings;
  readonly image?: string;
  readonly replicas?: number;
}

export type Settings = { readonly [key: string]: unknown };

/**
 * Reads `key=value` as of `--set proxy.dnsCapture=true`: dots lead to fields, the value is YAML.
 * @throws {CliError} with code 2 when it is neither
 */
export function readAssignment(text: string): Settings {
  const at = text.indexOf('=');
  const keys = text.slice(0, Math.max(0, at)).split('.');
  if (at < 0 || keys.includes('')) {
    throw new CliError(`--set ${text}: must be KEY=VALUE`, 'for example --set proxy.logLevel=info', 2);
  }
  const written = text.slice(at + 1);
  let value: unknown;
  try {
    value = written === '' ? '' : parse(written);
  } catch {
    // Such as text with a colon in it.
    value = written;
  }
  return keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Settings;
}

/** One on top of the other; lists are replaced whole, and null takes a choice of before away. */
export function mergeSettings(base: Settings, over: Settings): Settings {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    const together = isObject(value) ? mergeSettings(isObject(below) ? below : {}, value) : value;
    // Null, or a group that was all taken away.
    if (together === null || (isEmpty(together) && !isEmpty(value))) delete merged[key];
    else merged[key] = together;
  }
  return merged;
}

/**
 * Writes choices into the text of mesh.yaml; its comments stay.
 * @throws {CliError} with code 2 naming each field that is wrong, or that there is not
 */
export function writeSettings(meshYaml: string, settings: Settings): string {
  if (Object.keys(settings).length === 0) return meshYaml;
  const document = parseDocument(meshYaml);
  const put = (at: readonly string[], value: unknown): void => {
    if (isObject(value) && isMap(document.getIn(at))) {
      for (const [key, inner] of Object.entries(value)) put([...at, key], inner);
    } else document.setIn(at, document.createNode(value));
  };
  for (const [key, value] of Object.entries(settings)) put([key], value);
  const text = document.toString({ lineWidth: 0 });
  try {
    readMeshConfig(text);
  } catch (error) {
    throw new CliError((error as Error).message, 'config/mesh.yaml tells of all settings', 2);
  }
  return text;
}

/** In what settings differ from others: what a user chose who installed without this program. */
export function differingSettings(present: unknown, shipped: unknown): Settings {
  const differing: Record<string, unknown> = {};
  const base = isObject(shipped) ? shipped : {};
  for (const [key, value] of Object.entries(isObject(present) ? present : {})) {
    const below = base[key];
    if (isObject(value) && isObject(below)) {
      const inner = differingSettings(value, below);
      if (Object.keys(inner).length > 0) differing[key] = inner;
    } else if (JSON.stringify(value) !== JSON.stringify(below)) differing[key] = value;
  }
  return differing;
}

const isEmpty = (value: unknown): boolean => isObject(value) && Object.keys(value).length === 0;

function isObject(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
