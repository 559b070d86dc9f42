// Waits until something accepts on a port, by trying.
import { connect, type Socket } from 'node:net';

export interface PortWait {
  close(): void;
}

const INTERVAL = 50;

/** Calls back once, as soon as a connection is accepted; never after `close`. */
export function awaitPort(host: string, port: number, onOpen: () => void): PortWait {
  let socket: Socket | null = null;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const attempt = (): void => {
    socket = connect({ host, port });
    socket.once('connect', () => {
      socket?.destroy();
      if (closed) return;
      closed = true;
      onOpen();
    });
    socket.once('error', () => {
      if (!closed) timer = setTimeout(attempt, INTERVAL);
    });
  };
  attempt();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      socket?.destroy();
    },
  };
}
