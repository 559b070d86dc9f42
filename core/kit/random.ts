// Randomness that can be repeated: the same seed gives the same numbers, on every machine.

/** Numbers in [0, 1) with 32 bits each. Not for secrets. Source: sfc32 of PractRand, Chris Doty-Humphrey. */
export function seededRandom(seed: number): () => number {
  let a = mix(seed >>> 0);
  let b = mix(a);
  let c = mix(b);
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  // The first numbers of neighbouring seeds are alike: PractRand drops twelve.
  for (let i = 0; i < 12; i++) next();
  return next;
}

/** Source: splitmix32. */
function mix(value: number): number {
  let z = (value + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}
