// Reasons for HTTP/1.1 callers: HTTP/2 has none. Source: the IANA registry of status codes.

const REASONS = new Map<number, string>(
  `100 Continue|102 Processing|103 Early Hints|200 OK|201 Created|202 Accepted|203 Non-Authoritative Information|
204 No Content|205 Reset Content|206 Partial Content|207 Multi-Status|300 Multiple Choices|301 Moved Permanently|
302 Found|303 See Other|304 Not Modified|307 Temporary Redirect|308 Permanent Redirect|400 Bad Request|
401 Unauthorized|402 Payment Required|403 Forbidden|404 Not Found|405 Method Not Allowed|406 Not Acceptable|
408 Request Timeout|409 Conflict|410 Gone|411 Length Required|412 Precondition Failed|413 Content Too Large|
414 URI Too Long|415 Unsupported Media Type|416 Range Not Satisfiable|417 Expectation Failed|
421 Misdirected Request|422 Unprocessable Content|423 Locked|424 Failed Dependency|425 Too Early|
426 Upgrade Required|428 Precondition Required|429 Too Many Requests|431 Request Header Fields Too Large|
500 Internal Server Error|501 Not Implemented|502 Bad Gateway|503 Service Unavailable|504 Gateway Timeout|
505 HTTP Version Not Supported|507 Insufficient Storage|511 Network Authentication Required`
    .replaceAll('\n', '')
    .split('|')
    .map((line) => [Number(line.slice(0, 3)), line.slice(4)]),
);

/** '' for a status that nobody registered. */
export function reasonOf(status: number): string {
  return REASONS.get(status) ?? '';
}
