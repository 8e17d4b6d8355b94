import { createFileRegistry, fromBinary, type Registry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { loadDescriptorSet } from '../../../hack/generate/descriptors.ts';

/**
 * All of Envoy's messages, with which an `Any` can be read. From the descriptors that the code is generated from: importing the code of all messages
 * takes a second in each test file.
 */
export function envoyRegistry(): Registry {
  const set = loadDescriptorSet((message) => void process.stderr.write(`${message}\n`));
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, set));
}
