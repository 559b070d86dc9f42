// `Date` for answers that have none: a proxy that passes one on adds the time at which it came (RFC 9110 §6.6.1).
import type { HeaderList } from '../kit/header-list.ts';

/** Makes one text per second, however many answers there are. */
export class DateSource {
  readonly #clock: () => number;
  #second = Number.NaN;
  #text = '';

  /** `clock`: milliseconds since 1970. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** IMF-fixdate. */
  text(): string {
    const second = Math.floor(this.#clock() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1_000).toUTCString();
    }
    return this.#text;
  }

  /** Adds it where it is missing. */
  stamp(headers: HeaderList): void {
    const { fields } = headers;
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      if (name.length === 4 && (name === 'Date' || name.toLowerCase() === 'date')) return;
    }
    headers.add('date', this.text());
  }
}
