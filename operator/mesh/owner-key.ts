/** `namespace/Kind/name`, under which pods of one owner are found. */
export function ownerKey(namespace: string, kind: string, name: string): string {
  return `${namespace}/${kind}/${name}`;
}
