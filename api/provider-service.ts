import { z } from 'zod';

const HOST =
  /^(?:[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\/)?[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:[.][a-z0-9](?:[-a-z0-9]*[a-z0-9])?)+$/;

/** `NAMESPACE/HOSTNAME`, or a hostname: of a Service or a ServiceEntry. */
export const providerService = z
  .string()
  .max(317)
  .regex(HOST, 'must be a hostname in lower case with a dot, or NAMESPACE/HOSTNAME');

/** Of that service. */
export const providerPort = z.int().min(1).max(65_535);

/** At which a provider is asked or told. */
export const providerPath = z
  .string()
  .max(1024)
  .regex(/^\/[!-"$-~]*$/, 'must begin with "/" and have no blanks and no "#"');
