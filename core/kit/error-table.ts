// Every way in which Weft says no, once: code → what the caller sees, what the log says. `respond` turns
// an entry into an HTTP answer, later a gRPC status; docs/errors.md is checked against it by a test.

export interface ErrorEntry {
  /** Status towards an HTTP caller; 0 where no HTTP caller can meet this code. */
  readonly http: number;
  /** Source: grpc/doc/statuscodes.md. */
  readonly grpc: number;
  /** Envoy's response flag, `-` where Envoy has none. Source: Envoy access log, %RESPONSE_FLAGS%. */
  readonly flag: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** One sentence for the caller; it never holds a name, an address or a secret. */
  readonly message: string;
}

const define = <const T extends Record<string, ErrorEntry>>(table: T): T => table;

export const ERRORS = define({
  // What a client sent.
  'bad-request': { http: 400, grpc: 13, flag: 'DPE', level: 'info', message: 'the request is not valid HTTP' },
  'request-timeout': {
    http: 408,
    grpc: 4,
    flag: 'DT',
    level: 'info',
    message: 'the request did not arrive in time',
  },
  'uri-too-long': { http: 414, grpc: 13, flag: 'DPE', level: 'info', message: 'the request line is too long' },
  'headers-too-large': { http: 431, grpc: 8, flag: 'DPE', level: 'info', message: 'the header fields are too large' },
  'body-too-large': { http: 413, grpc: 8, flag: 'DPE', level: 'info', message: 'the body is too large' },
  'expectation-failed': {
    http: 417,
    grpc: 13,
    flag: 'DPE',
    level: 'info',
    message: 'only 100-continue can be expected',
  },
  'not-implemented': {
    http: 501,
    grpc: 12,
    flag: 'DPE',
    level: 'info',
    message: 'this method or transfer coding is not supported',
  },
  'version-not-supported': {
    http: 505,
    grpc: 12,
    flag: 'DPE',
    level: 'info',
    message: 'this version of HTTP is not spoken here',
  },
  'grpc-transport': {
    http: 505,
    grpc: 12,
    flag: 'DPE',
    level: 'info',
    message: 'gRPC is spoken over HTTP/2 only',
  },
  'downstream-closed': { http: 499, grpc: 1, flag: 'DC', level: 'debug', message: 'the client went away' },
  // What a policy said.
  'no-route': { http: 404, grpc: 12, flag: 'NR', level: 'debug', message: 'no route matches' },
  denied: { http: 403, grpc: 7, flag: 'UAEX', level: 'warn', message: 'access denied' },
  'egress-denied': {
    http: 403,
    grpc: 7,
    flag: 'UAEX',
    level: 'warn',
    message: 'this app does not call that destination; what is outside the mesh belongs into its NO_PROXY',
  },
  'no-cluster': { http: 503, grpc: 14, flag: 'NC', level: 'error', message: 'the route leads nowhere' },
  'no-endpoint': { http: 503, grpc: 14, flag: 'UH', level: 'warn', message: 'no instance is available' },
  draining: { http: 503, grpc: 14, flag: '-', level: 'info', message: 'shutting down' },
  overloaded: { http: 503, grpc: 14, flag: 'UO', level: 'warn', message: 'too many requests are in flight' },
  'no-identity': { http: 503, grpc: 14, flag: 'UF', level: 'error', message: 'this proxy has no valid certificate' },
  // What an upstream did.
  'connect-failed': { http: 503, grpc: 14, flag: 'UF', level: 'warn', message: 'the instance could not be reached' },
  'connect-timeout': {
    http: 503,
    grpc: 14,
    flag: 'UF',
    level: 'warn',
    message: 'the instance could not be reached in time',
  },
  'wrong-identity': {
    http: 503,
    grpc: 14,
    flag: 'UF',
    level: 'error',
    message: 'the instance did not prove its identity',
  },
  'upstream-closed': {
    http: 503,
    grpc: 14,
    flag: 'UC',
    level: 'warn',
    message: 'the instance closed the connection before it answered',
  },
  'upstream-reset': { http: 502, grpc: 14, flag: 'UR', level: 'warn', message: 'the instance broke off its answer' },
  'upstream-protocol': {
    http: 502,
    grpc: 13,
    flag: 'UPE',
    level: 'warn',
    message: 'the instance did not answer with valid HTTP',
  },
  'upstream-timeout': { http: 504, grpc: 4, flag: 'UT', level: 'warn', message: 'the instance did not answer in time' },
  'per-try-timeout': {
    http: 504,
    grpc: 4,
    flag: 'UT',
    level: 'warn',
    message: 'no instance began to answer in time',
  },
  'stream-idle': { http: 504, grpc: 4, flag: 'SI', level: 'info', message: 'nothing moved for too long' },
  internal: { http: 500, grpc: 13, flag: '-', level: 'error', message: 'a fault inside the proxy' },
  // Config, identity and processes: no HTTP caller meets these.
  'config-invalid': { http: 0, grpc: 3, flag: '-', level: 'error', message: 'the configuration is not valid' },
  'view-invalid': {
    http: 0,
    grpc: 3,
    flag: '-',
    level: 'error',
    message: 'the view from the control plane is not valid',
  },
  'warm-failed': {
    http: 0,
    grpc: 9,
    flag: '-',
    level: 'error',
    message: 'a new cluster could not be reached with its identity',
  },
  'token-invalid': { http: 0, grpc: 16, flag: '-', level: 'warn', message: 'the join token is not valid' },
  'token-used': { http: 0, grpc: 16, flag: '-', level: 'warn', message: 'the join token was used before' },
  'token-expired': { http: 0, grpc: 16, flag: '-', level: 'warn', message: 'the join token has expired' },
  'csr-refused': { http: 0, grpc: 7, flag: '-', level: 'warn', message: 'the certificate request was refused' },
  'root-mismatch': {
    http: 0,
    grpc: 16,
    flag: '-',
    level: 'error',
    message: 'the control plane does not hold the root that the token names',
  },
  'peer-refused': {
    http: 0,
    grpc: 16,
    flag: '-',
    level: 'warn',
    message: 'the peer did not prove an identity of this mesh',
  },
  'authority-missing': {
    http: 0,
    grpc: 9,
    flag: '-',
    level: 'error',
    message: 'there is no certificate authority here',
  },
  'authority-exists': {
    http: 0,
    grpc: 6,
    flag: '-',
    level: 'error',
    message: 'there is a certificate authority here already',
  },
  'authority-expired': {
    http: 0,
    grpc: 9,
    flag: '-',
    level: 'error',
    message: 'the certificate authority has expired',
  },
  'key-locked': {
    http: 0,
    grpc: 9,
    flag: '-',
    level: 'error',
    message: 'a private key needs its passphrase',
  },
  'signing-failed': {
    http: 0,
    grpc: 14,
    flag: '-',
    level: 'error',
    message: 'the command that signs certificates failed',
  },
  'control-plane-unreachable': {
    http: 0,
    grpc: 14,
    flag: '-',
    level: 'warn',
    message: 'the control plane cannot be reached',
  },
  'operator-refused': {
    http: 0,
    grpc: 7,
    flag: '-',
    level: 'warn',
    message: 'the control plane refused the command',
  },
  'netns-refused': {
    http: 0,
    grpc: 9,
    flag: '-',
    level: 'error',
    message: 'the packet rules could not be set',
  },
  'address-in-use': { http: 0, grpc: 9, flag: '-', level: 'error', message: 'the port is in use' },
  'state-in-use': { http: 0, grpc: 9, flag: '-', level: 'error', message: 'the state folder is in use' },
  usage: { http: 0, grpc: 3, flag: '-', level: 'error', message: 'the command line is not valid' },
  'file-unreadable': { http: 0, grpc: 5, flag: '-', level: 'error', message: 'a file cannot be read or written' },
  'state-corrupt': { http: 0, grpc: 15, flag: '-', level: 'error', message: 'a state file is damaged' },
});

export type ErrorCode = keyof typeof ERRORS;
