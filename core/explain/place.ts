// Where a rule stands: its own line, or that of what it stands in where it has none.

/** `file:line:column` of a rule id; '' where it is not known. */
export type Locate = (ruleId: string) => string;

export interface Placed {
  /** '': no rule. */
  readonly rule: string;
  readonly at: string;
}

export const NO_RULE: Placed = { rule: '', at: '' };

/** `services.web.calls` of a service without `calls` stands where `services.web` does. */
export function placed(locate: Locate, rule: string): Placed {
  for (let path = rule; path !== ''; path = above(path)) {
    const at = locate(path);
    if (at !== '') return { rule, at };
  }
  return { rule, at: '' };
}

function above(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('.'), path.lastIndexOf('['), 0));
}

/** Its own line alone; none where the configuration does not say it. */
export function placedExactly(locate: Locate, ...rules: readonly string[]): Placed {
  for (const rule of rules) {
    const at = locate(rule);
    if (at !== '') return { rule, at };
  }
  return NO_RULE;
}
