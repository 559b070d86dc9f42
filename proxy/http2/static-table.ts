// The fields that every connection knows from its start (RFC 7541 Appendix A).

/** name, value, name, value, …; the index of a pair is its place, from 1. */
const PAIRS = `:authority||:method|GET|:method|POST|:path|/|:path|/index.html|:scheme|http|:scheme|https|:status|200|
:status|204|:status|206|:status|304|:status|400|:status|404|:status|500|accept-charset||
accept-encoding|gzip, deflate|accept-language||accept-ranges||accept||access-control-allow-origin||age||allow||
authorization||cache-control||content-disposition||content-encoding||content-language||content-length||
content-location||content-range||content-type||cookie||date||etag||expect||expires||from||host||if-match||
if-modified-since||if-none-match||if-range||if-unmodified-since||last-modified||link||location||max-forwards||
proxy-authenticate||proxy-authorization||range||referer||refresh||retry-after||server||set-cookie||
strict-transport-security||transfer-encoding||user-agent||vary||via||www-authenticate||`
  .replaceAll('\n', '')
  .split('|');

export interface StaticField {
  readonly name: string;
  readonly value: string;
}

export const STATIC_FIELDS: readonly StaticField[] = Array.from({ length: 61 }, (_, i) => ({
  name: PAIRS[i * 2] as string,
  value: PAIRS[i * 2 + 1] as string,
}));
