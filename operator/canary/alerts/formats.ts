import type { AlertProviderSpec } from '../../../api/alert-provider.ts';
import type { AlertFormat } from './alert.ts';
import { discord } from './discord.ts';
import { webhook } from './generic-webhook.ts';
import { gchat } from './google-chat.ts';
import { rocket } from './rocket.ts';
import { slack } from './slack.ts';
import { msteams } from './teams.ts';

/** Every format, by the type of an AlertProvider. */
export const ALERT_FORMATS: Readonly<Record<AlertProviderSpec['type'], AlertFormat>> = {
  slack,
  msteams,
  discord,
  rocket,
  gchat,
  webhook,
};
