// A line of what `weft compose` has to say about a project.

export interface Note {
  /** `cannot`: something is not carried over (exit code 1 of --check). `changed`: it is, in another form. */
  readonly kind: 'cannot' | 'changed';
  /** Compose service; '' for the project. */
  readonly service: string;
  readonly line: number;
  readonly text: string;
}
