/** An object of one of Istio's kinds of traffic, in its newest version. @param spec as Istio has it */
export function networking(kind: string, name: string, spec: object): object {
  return { apiVersion: 'networking.istio.io/v1', kind, metadata: { name }, spec };
}

/** A VirtualService. @param spec as Istio has it */
export const virtualService = (name: string, spec: object): object => networking('VirtualService', name, spec);

/** A DestinationRule. @param spec as Istio has it */
export const destinationRule = (name: string, spec: object): object => networking('DestinationRule', name, spec);
