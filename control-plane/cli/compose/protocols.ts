// What is known to speak something else than HTTP: by image, by the scheme of a URL, by port.

/** What an image speaks, and where by custom. */
export interface ImageProtocol {
  readonly protocol: string;
  readonly port: number | null;
}

/** Last part of the image's name, without tag. */
const TCP_IMAGES: ReadonlyMap<string, ImageProtocol> = new Map(
  (
    [
      ['postgres postgresql postgis timescaledb pgvector', 'PostgreSQL', 5432],
      ['pgbouncer', 'PostgreSQL', 6432],
      ['cockroach', 'PostgreSQL', 26_257],
      ['mysql mariadb percona percona-server', 'MySQL', 3306],
      ['tidb', 'MySQL', 4000],
      ['redis redis-stack redis-stack-server valkey keydb dragonfly', 'Redis', 6379],
      ['memcached', 'memcached', 11_211],
      ['mongo mongodb mongodb-community-server', 'MongoDB', 27_017],
      ['rabbitmq', 'AMQP', 5672],
      ['activemq activemq-artemis', 'AMQP', 61_616],
      ['nats', 'NATS', 4222],
      ['kafka cp-kafka redpanda', 'Kafka', 9092],
      ['zookeeper cp-zookeeper', 'ZooKeeper', 2181],
      ['cassandra scylla', 'CQL', 9042],
      ['mosquitto eclipse-mosquitto emqx hivemq-ce', 'MQTT', 1883],
      ['etcd', 'gRPC', 2379],
      ['openldap', 'LDAP', null],
      ['mssql-server server', 'TDS', 1433],
      ['neo4j', 'Bolt', 7687],
    ] as const
  ).flatMap(([names, protocol, port]) => names.split(' ').map((name) => [name, { protocol, port }] as const)),
);

const HTTP_SCHEMES = ['http', 'ws'];

const TCP_PORTS: ReadonlyMap<number, string> = new Map([
  [22, 'SSH'],
  [25, 'SMTP'],
  [389, 'LDAP'],
  [443, 'TLS'],
  [465, 'SMTP'],
  [587, 'SMTP'],
  [636, 'LDAP'],
  [1025, 'SMTP'],
  [1433, 'TDS'],
  [1521, 'Oracle'],
  [1883, 'MQTT'],
  [2181, 'ZooKeeper'],
  [2379, 'gRPC'],
  [3306, 'MySQL'],
  [4222, 'NATS'],
  [5432, 'PostgreSQL'],
  [5671, 'AMQP'],
  [5672, 'AMQP'],
  [6379, 'Redis'],
  [7687, 'Bolt'],
  [8443, 'TLS'],
  [9042, 'CQL'],
  [9092, 'Kafka'],
  [9229, "Node's inspector"],
  [11_211, 'memcached'],
  [26_257, 'PostgreSQL'],
  [27_017, 'MongoDB'],
  [50_051, 'gRPC'],
]);

/** `docker.io/library/postgres:17-alpine` → PostgreSQL at 5432; null: nothing is known of it. */
export function protocolOfImage(image: string): ImageProtocol | null {
  const withoutDigest = image.split('@')[0] ?? '';
  const last = withoutDigest.split('/').at(-1) ?? '';
  const name = (last.split(':')[0] ?? '').toLowerCase();
  // Microsoft's image is called mcr.microsoft.com/mssql/server; a `server` of anybody else says nothing.
  if (name === 'server' && !withoutDigest.includes('mssql')) return null;
  return TCP_IMAGES.get(name) ?? null;
}

/** Whether a URL of this scheme is spoken to by HTTP/1.1 without TLS. */
export function isHttpScheme(scheme: string): boolean {
  return HTTP_SCHEMES.includes(scheme);
}

export function defaultPortOf(scheme: string): number | null {
  if (isHttpScheme(scheme)) return 80;
  return scheme === 'https' || scheme === 'wss' ? 443 : null;
}

/** Datagrams, which the mesh does not carry. */
const UDP_PORTS: ReadonlyMap<number, string> = new Map([
  [53, 'DNS'],
  [67, 'DHCP'],
  [69, 'TFTP'],
  [123, 'NTP'],
  [161, 'SNMP'],
  [162, 'SNMP'],
  [514, 'syslog'],
  [1812, 'RADIUS'],
  [1813, 'RADIUS'],
  [5060, 'SIP'],
  [6831, 'Jaeger'],
  [6832, 'Jaeger'],
  [8125, 'statsd'],
  [51_820, 'WireGuard'],
]);

/** A protocol of datagrams that this port is the custom of; null: none. */
export function datagramsOfPort(port: number): string | null {
  return UDP_PORTS.get(port) ?? null;
}

/** A protocol that this port is the custom of; null: none. */
export function protocolOfPort(port: number): string | null {
  return TCP_PORTS.get(port) ?? null;
}
