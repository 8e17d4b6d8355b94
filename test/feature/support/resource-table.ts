import { createHash } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { ResourceSchema } from '../../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import type { ProxyIdentity, ResourceChange, ResourceSource, XdsResource } from '../../../operator/xds/resource.ts';

/** Encodes one resource; its version is the hash of its content. */
export function makeResource(typeUrl: string, name: string, content: Uint8Array): XdsResource {
  const version = createHash('sha256').update(content).digest('base64url').slice(0, 16);
  const resource = create(AnySchema, { typeUrl, value: content });
  return {
    typeUrl,
    name,
    version,
    bytes: toBinary(ResourceSchema, create(ResourceSchema, { name, version, resource })),
  };
}

/** A resource whose content is a text: for clients that only count and compare. */
export function textResource(typeUrl: string, name: string, text: string): XdsResource {
  return makeResource(typeUrl, name, Buffer.from(text));
}

/** A resource source that a test fills by hand. All proxies see the same; `hidden` types are given by name only. */
export class ResourceTable implements ResourceSource {
  readonly typeUrls: readonly string[];
  /** Lookups and wildcards answered. */
  reads = 0;
  private readonly tables = new Map<string, Map<string, XdsResource>>();
  private readonly listeners = new Set<(change: ResourceChange) => void>();

  constructor(typeUrls: readonly string[]) {
    this.typeUrls = typeUrls;
    for (const typeUrl of typeUrls) {
      this.tables.set(typeUrl, new Map());
    }
  }

  wildcard(_proxy: ProxyIdentity, typeUrl: string): ReadonlyMap<string, XdsResource> {
    this.reads++;
    return this.table(typeUrl);
  }

  lookup(_proxy: ProxyIdentity, typeUrl: string, name: string): XdsResource | undefined {
    this.reads++;
    return this.table(typeUrl).get(name);
  }

  onChange(listener: (change: ResourceChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Changes many resources at once, as one change. */
  update(upserts: readonly XdsResource[], removed: readonly (readonly [typeUrl: string, name: string])[] = []): void {
    const affected = new Map<string, Set<string>>();
    const touch = (typeUrl: string, name: string): void => {
      affected.set(typeUrl, (affected.get(typeUrl) ?? new Set()).add(name));
    };
    for (const resource of upserts) {
      this.table(resource.typeUrl).set(resource.name, resource);
      touch(resource.typeUrl, resource.name);
    }
    for (const [typeUrl, name] of removed) {
      this.table(typeUrl).delete(name);
      touch(typeUrl, name);
    }
    for (const listener of this.listeners) {
      listener({ affected: () => affected });
    }
  }

  private table(typeUrl: string): Map<string, XdsResource> {
    const table = this.tables.get(typeUrl);
    if (table === undefined) {
      throw new Error(`the table has no type ${typeUrl}`);
    }
    return table;
  }
}
