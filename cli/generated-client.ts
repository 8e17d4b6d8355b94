/** What of the client's generated code its modules take that the command uses, in place of all of it (`light-packages.ts`). */
export { createConfiguration } from '@kubernetes/client-node/dist/gen/configuration.js';
export { ServerConfiguration } from '@kubernetes/client-node/dist/gen/servers.js';

/** For ports of Services and Deployments, which are resolved to pods before here. */
export class CoreV1Api {}
export class AppsV1Api {}
