import { fromBinary, type JsonObject, type JsonValue, type Registry, toJson } from '@bufbuild/protobuf';
import { ResourceSchema } from '../../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import type { XdsResource } from '../resource.ts';

/** The message in a resource, as JSON with the names of Envoy's documentation. */
export function resourceJson(resource: XdsResource, registry: Registry): JsonObject {
  const any = fromBinary(ResourceSchema, resource.bytes).resource;
  const schema = registry.getMessage(resource.typeUrl.replace('type.googleapis.com/', ''));
  if (any === undefined || schema === undefined)
    throw new Error(`${resource.name} holds no message known as ${resource.typeUrl}`);
  const json = toJson(schema, fromBinary(schema, any.value), { registry, useProtoFieldName: true });
  return asObject(json);
}

/** The value as an object; throws when it is none. */
export function asObject(value: JsonValue | undefined): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not a JSON object');
  return value;
}
