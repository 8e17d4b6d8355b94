import { silentLogger } from '../../kube/logger.ts';
import { createWebhookMetrics } from '../../webhook/metrics.ts';
import { AdmissionServer } from '../../webhook/server.ts';
import { makeCertificate } from '../../webhook/testing/certificate.ts';
import { testHandlers } from '../../webhook/testing/handlers.ts';

/** The child of the injection bench: the real admission server, in a process of its own, so that its CPU can be told from the client's. */
const metrics = createWebhookMetrics();
const handlers = testHandlers(metrics);
const server = new AdmissionServer({ handlers, logger: silentLogger, metrics });
server.setCertificate(await makeCertificate('bench'));
const port = await server.start(0, '127.0.0.1');

let before = process.cpuUsage();
process.on('message', (message) => {
  if (message === 'begin') before = process.cpuUsage();
  if (message === 'end') {
    const { user, system } = process.cpuUsage(before);
    process.send?.({ cpuMs: (user + system) / 1000, rssMb: process.memoryUsage.rss() / 1_048_576 });
  }
  if (message === 'stop') void server.stop().then(() => process.disconnect());
});
process.send?.({ port });
