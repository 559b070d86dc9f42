// Which fields may come after a body.

/** Never merged from a trailer section (RFC 9110 §6.5.1): framing, routing, authentication, control. */
const REFUSED = new Set(
  `age authorization cache-control connection content-encoding content-range content-type cookie date
  expect expires forwarded host keep-alive location max-forwards pragma proxy-authenticate proxy-authorization
  proxy-connection range retry-after set-cookie te trailer upgrade vary via warning
  www-authenticate`.split(/\s+/),
);
const REFUSED_PREFIX = /^(?:if-|x-forwarded-|x-weft-|x-envoy-)/;

/** Framing is not answered here: it is an attack, not a field to drop. */
export function mayTrail(lowerName: string): boolean {
  return !REFUSED.has(lowerName) && !REFUSED_PREFIX.test(lowerName);
}
