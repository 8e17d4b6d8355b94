import type { Analyzer } from '../context.ts';
import { analyzeAnnotations } from './annotations.ts';
import { analyzeConditions } from './conditions.ts';
import { analyzeInjection } from './injection.ts';
import { analyzeKinds } from './kinds.ts';
import { analyzeRoutes } from './routes.ts';
import { analyzeSchemas } from './schema.ts';
import { analyzeServiceEntries } from './service-entries.ts';
import { analyzeServices } from './services.ts';
import { analyzeSides } from './sides.ts';
import { analyzeTokens } from './tokens.ts';
import { analyzeTransportSecurity } from './transport-security.ts';

/** All that is looked at; each is a file and a line here. */
export const ANALYZERS: readonly Analyzer[] = [
  analyzeKinds,
  analyzeSchemas,
  analyzeConditions,
  analyzeInjection,
  analyzeAnnotations,
  analyzeServices,
  analyzeSides,
  analyzeTransportSecurity,
  analyzeRoutes,
  analyzeServiceEntries,
  analyzeTokens,
];
