// What the steps of core/config share while they read one file: where to report, and where rules stand.
import { ruleId, type RuleId } from '../model/brand.ts';
import type { SourcePosition } from '../model/mesh.ts';
import type { ConfigDocument } from './document.ts';
import { formatPath, type ConfigError, type Path } from './problem.ts';

export class Reader {
  readonly document: ConfigDocument;
  readonly #problems: ConfigError[];
  readonly #sources: Map<RuleId, SourcePosition>;

  constructor(document: ConfigDocument, problems: ConfigError[], sources: Map<RuleId, SourcePosition>) {
    this.document = document;
    this.#problems = problems;
    this.#sources = sources;
  }

  error(path: Path, message: string, hint: string, part: 'key' | 'value' = 'value'): void {
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

  #report(severity: 'error' | 'warning', path: Path, message: string, hint: string, part: 'key' | 'value'): void {
    this.#problems.push({
      ...this.document.locate(path, part),
      path: formatPath(path),
      message,
      hint,
      severity,
    });
  }
}
