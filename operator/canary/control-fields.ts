/** What belongs to how one release is controlled, and goes with it. */
export const CONTROL_FIELDS = ['opened', 'tested', 'paused', 'hold', 'rollbackWindow'] as const;
