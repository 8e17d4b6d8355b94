import { create } from '@bufbuild/protobuf';
import {
  type OutlierDetection,
  OutlierDetectionSchema,
} from '../../generated/envoy/envoy/config/cluster/v3/outlier_detection_pb.js';
import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import { policyDuration } from './cluster-durations.ts';

const ENFORCED = 100;
type Settings = NonNullable<TrafficPolicy['outlierDetection']>;

/**
 * When an endpoint that fails is left out for a while (Istio `outlierDetection`, Envoy `outlier_detection`). Success rates never eject, as in
 * Istio: with few endpoints they say nothing. 5 answers of 5xx in a row do, unless the policy says otherwise.
 */
export function buildOutlierDetection(settings: Settings): OutlierDetection {
  const { splitExternalLocalOriginErrors: split = false, consecutiveLocalOriginFailures: failures } = settings;
  const interval = policyDuration(settings.interval);
  const baseEjectionTime = policyDuration(settings.baseEjectionTime);
  return create(OutlierDetectionSchema, {
    enforcingSuccessRate: 0,
    ...consecutiveErrors(settings),
    ...(interval === undefined ? {} : { interval }),
    ...(baseEjectionTime === undefined ? {} : { baseEjectionTime }),
    ...(settings.maxEjectionPercent ? { maxEjectionPercent: settings.maxEjectionPercent } : {}),
    ...(split ? { splitExternalLocalOriginErrors: true, enforcingLocalOriginSuccessRate: 0 } : {}),
    ...(split && failures
      ? { consecutiveLocalOriginFailure: failures, enforcingConsecutiveLocalOriginFailure: ENFORCED }
      : {}),
  });
}

/** 0 of a kind turns it off. The deprecated `consecutiveErrors` means gateway errors, and those alone. */
function consecutiveErrors(settings: Settings) {
  const { consecutive5xxErrors, consecutiveGatewayErrors, consecutiveErrors: deprecated } = settings;
  const old = consecutive5xxErrors === undefined && consecutiveGatewayErrors === undefined ? deprecated : undefined;
  const any = old ? 0 : consecutive5xxErrors;
  const gateway = old ? old : consecutiveGatewayErrors;
  return {
    ...(any === undefined ? {} : { consecutive5xx: any, enforcingConsecutive5xx: any > 0 ? ENFORCED : 0 }),
    ...(gateway === undefined
      ? {}
      : { consecutiveGatewayFailure: gateway, enforcingConsecutiveGatewayFailure: gateway > 0 ? ENFORCED : 0 }),
  };
}
