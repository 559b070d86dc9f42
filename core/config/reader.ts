// What the steps of core/config share while they read one file: where to report, and where rules stand.
import { ruleId, type RuleId } from '../model/brand.ts';
import type { SourcePosition } from '../model/mesh.ts';
import type { ConfigDocument } from './document.ts';
import { formatPath, type ConfigError, type Path } from './problem.ts';

/** Of all files together; whoever has more than these starts with them. */
const MOST_PROBLEMS = 500;
const MOST_SEARCHED_HINTS = 100;

/** A hint that costs something to find is a function: asked only if the problem is kept. */
export type Hint = string | (() => string);

export class Reader {
  readonly document: ConfigDocument;
  readonly #problems: ConfigError[];
  readonly #sources: Map<RuleId, SourcePosition>;

  constructor(document: ConfigDocument, problems: ConfigError[], sources: Map<RuleId, SourcePosition>) {
    this.document = document;
    this.#problems = problems;
    this.#sources = sources;
  }

  error(path: Path, message: string, hint: Hint, part: 'key' | 'value' = 'value'): void {
    this.#report('error', path, message, hint, part);
  }

  warning(path: Path, message: string, hint: string, part: 'key' | 'value' = 'value'): void {
    this.#report('warning', path, message, hint, part);
  }

  /** The id of the rule at a path; its position goes into the source map. */
  rule(path: Path): RuleId {
    const id = ruleId(formatPath(path));
    // A list item has no key of its own: `locate` then gives its value.
    this.#sources.set(id, this.document.locate(path, 'key'));
    return id;
  }

  /** For what shows only once everything is read. */
  warnRule(rule: RuleId, message: string, hint: string): void {
    const position = this.#sources.get(rule) ?? this.document.locate([], 'value');
    this.#problems.push({ ...position, path: rule, message, hint, severity: 'warning' });
  }

  #resolve(hint: Hint): string {
    if (typeof hint === 'string') return hint;
    return this.#problems.length < MOST_SEARCHED_HINTS ? hint() : '';
  }

  #report(severity: 'error' | 'warning', path: Path, message: string, hint: Hint, part: 'key' | 'value'): void {
    if (this.#problems.length >= MOST_PROBLEMS) return;
    this.#problems.push({
      ...this.document.locate(path, part),
      path: formatPath(path),
      message,
      hint: this.#resolve(hint),
      severity,
    });
  }
}
