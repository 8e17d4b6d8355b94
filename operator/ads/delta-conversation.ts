import type { Logger } from '../../kube/logger.ts';
import type { AuthenticatedProxy } from './authenticator.ts';
import { type Instruments, shortType } from './instruments.ts';
import { MessageWriter } from './message-writer.ts';
import type { Call, Conversation, Listener } from './proxy-call.ts';
import type { ProxyRegistry } from './proxy-registry.ts';
import { decodeOrRefuse, type Refusal, tooLate, tooMuch, unavailable } from './refusal.ts';
import { decodeDeltaRequest } from './request.ts';
import type { ResourceRegistry } from './resource-registry.ts';
import { ProxyStream } from './stream.ts';
import type { StreamEvents, StreamSettings } from './stream-settings.ts';
import type { WorkloadMemory } from './workload-memory.ts';

/** Most types that a proxy may ask for on one stream; there are ten or so. */
const MAX_TYPES = 32;
/** Most names of one type that it may ask for, all its requests together: several times those of a proxy that has all of 5,000 Services. */
const MAX_NAMES = 100_000;

/** What all delta streams share. */
export interface DeltaContext {
  readonly proxies: ProxyRegistry;
  readonly resources: ResourceRegistry;
  readonly memory: WorkloadMemory | undefined;
  readonly instruments: Instruments;
  readonly logger: Logger;
  readonly settings: StreamSettings & { readonly writeStallMs: number; readonly answerMs: number };
}

/** Makes the conversation of a delta ADS call. */
export class DeltaConversation {
  private readonly context: DeltaContext;

  constructor(context: DeltaContext) {
    this.context = context;
  }

  on(call: Call): Conversation {
    return {
      nodeId: (first) => decodeOrRefuse(first, decodeDeltaRequest).nodeId ?? '',
      start: (proxy, end) => converse(call, proxy, end, this.context),
    };
  }
}

function converse(
  call: Call,
  { identity }: AuthenticatedProxy,
  end: (refusal: Refusal) => void,
  context: DeltaContext,
): Listener {
  const { proxies, resources, memory, instruments, logger, settings } = context;
  const pod = `${identity.namespace}/${identity.podName}`;
  const writer = new MessageWriter(call, settings.writeStallMs, () =>
    end(tooLate(`nothing was read for ${settings.writeStallMs} ms`)),
  );
  // A proxy may ask for types that are none, each of which would be another series for ever.
  const typeOf = (typeUrl: string): string => (resources.has(typeUrl) ? shortType(typeUrl) : 'other');
  const events: StreamEvents = {
    write: (message) => writer.write(message),
    pushed: (typeUrl, count, bytes) => {
      const type = typeOf(typeUrl);
      instruments.pushes.inc({ type });
      instruments.resources.inc({ type }, count);
      instruments.pushedBytes.inc({ type }, bytes);
    },
    answered: (typeUrl, names, error, ms) => {
      instruments.acknowledgement.observe({ type: typeOf(typeUrl) }, ms / 1000);
      if (error !== undefined) {
        instruments.rejections.inc({ type: typeOf(typeUrl) });
        logger.warn('proxy rejected resources', { pod, type: typeOf(typeUrl), names: names.slice(0, 10), error });
      }
      proxies.noted(identity.uid, typeUrl, names);
    },
  };
  const stream = new ProxyStream(identity, resources, settings, events, memory);
  const answers = setInterval(() => {
    if (stream.oldestUnanswered() > settings.answerMs) {
      end(tooLate(`a response was not answered within ${settings.answerMs} ms`));
    }
  }, settings.answerMs / 4);
  answers.unref();
  proxies.open(stream, call.getPeer(), (reason) => end(unavailable(reason)));
  logger.info('proxy connected', { pod, uid: identity.uid, peer: call.getPeer() });
  return {
    message: (bytes) => {
      const request = decodeOrRefuse(bytes, decodeDeltaRequest);
      stream.receive(request);
      checkDemand(stream, request.typeUrl);
      const { typeUrl, unsubscribe, initialVersions } = request;
      if (initialVersions.size > 0) proxies.noted(identity.uid, typeUrl, [...initialVersions.keys()]);
      if (unsubscribe.length > 0) proxies.noted(identity.uid, typeUrl, unsubscribe);
    },
    closed: () => {
      writer.stop();
      clearInterval(answers);
      stream.close();
      proxies.close(stream);
      logger.info('proxy disconnected', { pod, uid: identity.uid });
    },
  };
}

/** What a proxy asks for is kept as long as its stream lives. @throws {RefusalError} when that is too much */
function checkDemand(stream: ProxyStream, typeUrl: string): void {
  if ([...stream.all()].length > MAX_TYPES) throw tooMuch(`more than ${MAX_TYPES} types of resources are asked for`);
  const names = stream.subscription(typeUrl)?.names.size ?? 0;
  if (names > MAX_NAMES) throw tooMuch(`more than ${MAX_NAMES} resources of one type are asked for by name`);
}
