import { z } from 'zod';

/** Istio writes 64-bit numbers as text, we as numbers; the schema takes both. */
const longNumber = z.union([z.int(), z.string()]).meta({ 'x-kubernetes-int-or-string': true });

const istioCondition = z.object({
  type: z.string().optional().describe('What the condition is about.'),
  status: z.string().optional().describe('True, False or Unknown.'),
  reason: z.string().optional().describe('Why, in one CamelCase word.'),
  message: z.string().optional().describe('Why, for people.'),
  observedGeneration: longNumber.optional().describe('metadata.generation this was judged from.'),
  lastProbeTime: z.string().optional().meta({ format: 'date-time', description: 'When it was last looked at.' }),
  lastTransitionTime: z
    .string()
    .optional()
    .meta({ format: 'date-time', description: 'When the status last went from one value to another.' }),
});

const validationMessage = z.object({
  documentationUrl: z.string().optional().describe('Where the message is explained.'),
  level: z.enum(['UNKNOWN', 'ERROR', 'WARNING', 'INFO']).optional().describe('How bad it is.'),
  type: z
    .object({
      code: z.string().optional().describe('Code such as IST0101.'),
      name: z.string().optional().describe('Name that goes with the code.'),
    })
    .optional(),
});

/** The status that all of Istio's kinds share (`istio.meta.v1alpha1.IstioStatus`), kept open for fields of later versions. */
export const istioStatus = z.looseObject({
  conditions: z.array(istioCondition).optional().describe('What the controllers found.'),
  observedGeneration: longNumber.optional().describe('metadata.generation this status was made from.'),
  validationMessages: z.array(validationMessage).optional().describe('Messages of the analysis.'),
});
