// What is known to speak something else than HTTP/1.1: by image, by the scheme of a URL, by port.

/** Last part of the image's name, without tag. */
const TCP_IMAGES: ReadonlyMap<string, string> = new Map(
  [
    ['postgres postgresql postgis timescaledb pgvector pgbouncer cockroach', 'PostgreSQL'],
    ['mysql mariadb percona percona-server tidb', 'MySQL'],
    ['redis redis-stack redis-stack-server valkey keydb dragonfly', 'Redis'],
    ['memcached', 'memcached'],
    ['mongo mongodb mongodb-community-server', 'MongoDB'],
    ['rabbitmq activemq activemq-artemis', 'AMQP'],
    ['nats', 'NATS'],
    ['kafka cp-kafka redpanda', 'Kafka'],
    ['zookeeper cp-zookeeper', 'ZooKeeper'],
    ['cassandra scylla', 'CQL'],
    ['mosquitto eclipse-mosquitto emqx hivemq-ce', 'MQTT'],
    ['etcd', 'gRPC'],
    ['openldap', 'LDAP'],
    ['mssql-server server', 'TDS'],
    ['neo4j', 'Bolt'],
  ].flatMap(([names = '', protocol = '']) => names.split(' ').map((name) => [name, protocol] as const)),
);

const HTTP_SCHEMES = ['http', 'ws'];

const TCP_PORTS: ReadonlyMap<number, string> = new Map([
  [22, 'SSH'],
  [25, 'SMTP'],
  [53, 'DNS'],
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

/** `docker.io/library/postgres:17-alpine` → PostgreSQL; null: nothing is known of it. */
export function protocolOfImage(image: string): string | null {
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

/** A protocol that this port is the custom of; null: none. */
export function protocolOfPort(port: number): string | null {
  return TCP_PORTS.get(port) ?? null;
}
