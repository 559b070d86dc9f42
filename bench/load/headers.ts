// What the load asks for: a bare request, as wrk sends it, and one with 18 headers, as a browser behind a login does.

import type { Fields } from '../wire/messages.ts';

/** With Host eighteen. */
export const MANY_REQUEST_FIELDS: Fields = [
  [
    'User-Agent',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  ],
  ['Accept', 'application/json, text/plain, */*'],
  ['Accept-Encoding', 'gzip, deflate, br, zstd'],
  ['Accept-Language', 'en-US,en;q=0.9,de;q=0.8'],
  [
    'Authorization',
    'Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI0MiIsInNjb3BlIjoib3JkZXJzIn0.c2lnbmF0dXJlLW9mLXRoZS1iZW5jaA',
  ],
  ['Cache-Control', 'no-cache'],
  ['Cookie', 'session=6f3yG0Rr3kqzq0G5m0xW8v1F2aU; theme=dark; consent=all'],
  ['Origin', 'https://bench.test'],
  ['Pragma', 'no-cache'],
  ['Priority', 'u=1, i'],
  ['Referer', 'https://bench.test/orders?page=3'],
  ['Sec-CH-UA', '"Chromium";v="142", "Not_A Brand";v="24"'],
  ['Sec-CH-UA-Mobile', '?0'],
  ['Sec-CH-UA-Platform', '"Linux"'],
  ['Sec-Fetch-Dest', 'empty'],
  ['Sec-Fetch-Mode', 'cors'],
  ['Sec-Fetch-Site', 'same-origin'],
];
