// How a mesh leg says which port of the callee it is for: by SNI, in the handshake that both sides check. The main port
// has none, as before there were others.

/** `grpc.orders`; '' for the main port. */
export function meshServerName(service: string, port: string): string {
  return port === '' ? '' : `${port}.${service}`;
}
