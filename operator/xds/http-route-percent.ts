import { create } from '@bufbuild/protobuf';
import {
  type RuntimeFractionalPercent,
  RuntimeFractionalPercentSchema,
} from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import {
  type FractionalPercent,
  FractionalPercent_DenominatorType,
  FractionalPercentSchema,
} from '../../generated/envoy/envoy/type/v3/percent_pb.js';

/** Per million, in one per cent. */
const PRECISION = 10_000;

/** A percentage from 0 to 100 to the ten-thousandth, as finely as Envoy can draw lots; less than that, and more than none, is one in a million. */
export function buildPercent(percent: number): FractionalPercent {
  const rounded = Math.round(percent * PRECISION);
  return create(FractionalPercentSchema, {
    numerator: percent > 0 ? Math.max(1, rounded) : 0,
    denominator: FractionalPercent_DenominatorType.MILLION,
  });
}

/** The same, where Envoy lets operators override it. */
export function buildRuntimePercent(percent: number): RuntimeFractionalPercent {
  return create(RuntimeFractionalPercentSchema, { defaultValue: buildPercent(percent) });
}
