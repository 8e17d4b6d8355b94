import { create } from '@bufbuild/protobuf';
import type { FileAccessLog } from '../../api/telemetry-provider.ts';
import {
  type SubstitutionFormatString,
  SubstitutionFormatStringSchema,
} from '../../generated/envoy/envoy/config/core/v3/substitution_format_string_pb.js';

/** Istio's line, which tools know how to read. */
export const DEFAULT_TEXT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% ' +
  '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" ' +
  '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% ' +
  '%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n';

/** How lines of the sidecar's output look. A text that does not end its line has it ended. */
export function buildLineFormat({ logFormat, omitEmptyValues }: FileAccessLog): SubstitutionFormatString {
  const { labels, text = DEFAULT_TEXT } = logFormat ?? {};
  const line = text.endsWith('\n') ? text : `${text}\n`;
  return create(SubstitutionFormatStringSchema, {
    format:
      labels === undefined
        ? { case: 'textFormatSource', value: { specifier: { case: 'inlineString', value: line } } }
        : { case: 'jsonFormat', value: labels },
    omitEmptyValues,
  });
}
