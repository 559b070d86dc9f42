// Which ports of a service the mesh carries.

interface Ports {
  /** null: a job. */
  readonly port: number | null;
  readonly further: readonly { readonly port: number }[];
}

/** The main one first. */
export function carriedPorts({ port, further }: Ports): readonly number[] {
  return port === null ? [] : [port, ...further.map((each) => each.port)];
}
