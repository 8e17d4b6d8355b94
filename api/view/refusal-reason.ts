const REASONS: Readonly<Record<string, string>> = {
  deny: 'a rule of a DENY policy matched',
  no_allow_matched: 'no rule of the ALLOW policies matched',
  custom: 'the authorization provider said no',
  token: 'the token was not valid, or one was missing',
  local_limit: 'over a limit that each sidecar counts',
  global_limit: 'over a limit that is counted for all',
  connection_limit: 'over a limit of connections',
};

/** Why a policy refused, for people. @param reason of a `RefusalView` */
export function refusalInWords(reason: string): string {
  return REASONS[reason] ?? reason;
}
