// What a certificate needs from outside: the time and randomness, as arguments, so that tests own both.

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Clock = () => number;

/** `size` bytes that nobody can guess. */
export type RandomBytes = (size: number) => Uint8Array;
