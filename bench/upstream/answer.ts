// What every upstream of the bench answers.

/** About 200 bytes. */
export const SMALL_BODY = JSON.stringify({
  id: 42,
  sku: 'weft-bench',
  name: 'a small answer of about two hundred bytes',
  tags: ['mesh', 'gateway', 'edge', 'sidecar'],
  price: { amount: '19.90', currency: 'EUR' },
  available: true,
  stock: 1234,
});

/** With Content-Length twelve response headers, as an API behind a framework sends them. */
export const MANY_FIELDS: readonly (readonly [string, string])[] = [
  ['Content-Type', 'application/json; charset=utf-8'],
  ['Cache-Control', 'private, no-cache, no-store, max-age=0, must-revalidate'],
  ['Server', 'bench'],
  ['Date', 'Sun, 22 Nov 2026 12:00:00 GMT'],
  ['ETag', 'W/"c5-6f3yG0Rr3kqzq0G5m0xW8v1F2aU"'],
  ['Last-Modified', 'Sat, 21 Nov 2026 09:14:03 GMT'],
  ['Vary', 'Accept-Encoding, Origin'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'SAMEORIGIN'],
  ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains'],
  ['Content-Security-Policy', "default-src 'self'; object-src 'none'; frame-ancestors 'none'"],
];

/** A unary gRPC message: not compressed, its length, some bytes of protobuf. */
export const GRPC_MESSAGE: Buffer = grpcMessage(Buffer.from(SMALL_BODY));

function grpcMessage(body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}
