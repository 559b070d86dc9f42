// The small pieces that the schema is put together from, and its bounds.
import { Type, type TSchema } from 'typebox';
import { HEALTH_BOUNDS } from '../model/health.ts';

/** RFC 1123 label: names become host names, environment variables and paths of identities. */
const NAME_PATTERN = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$';
export const NAME_EXPECTED = 'a name of lower-case letters, digits and hyphens, at most 63 (a DNS label, RFC 1123)';

/** What one list or text may hold at most; no more than the wire takes (proto/codec). */
export const MOST = { items: 256, rules: 1000, routes: 10_000, text: 8192 } as const;

export const closed = { additionalProperties: false } as const;

export const port = (minimum: 0 | 1, description: string) =>
  Type.Integer({ minimum, maximum: 65535, title: `a port from ${minimum} to 65535`, description });
const DURATION_PATTERN = String.raw`^(0|\d{1,9}(\.\d{1,3})?(ms|s|m|h))$`;
export const duration = (description: string) => {
  const title = 'a duration such as 2s, 500ms or 1m, or 0 for none';
  const text = Type.String({ pattern: DURATION_PATTERN, title });
  return Type.Union([text, Type.Literal(0, { title })], { title, description });
};
/** A duration that 0 would not make sense of. */
const span = (description: string) =>
  Type.String({ pattern: DURATION_PATTERN, title: 'a duration such as 5s or 500ms', description });
/** One duration is `request`. */
export const timeouts = (description: string) => {
  const title = 'a duration such as 2s, 500ms or 1m, 0 for none, or { request, perTry, idle }';
  const parts = Type.Object(
    {
      request: Type.Optional(duration(description)),
      perTry: Type.Optional(
        duration(
          'The longest that one try may take until its answer begins; then another one is made where it may be.',
        ),
      ),
      idle: Type.Optional(
        duration('The longest without a byte in either direction. Default 5m, and 1h for upgraded connections.'),
      ),
    },
    { ...closed, title: 'a mapping with request, perTry or idle' },
  );
  const text = Type.String({ pattern: DURATION_PATTERN, title });
  return Type.Union([text, Type.Literal(0, { title }), parts], { title, description });
};
/** A path alone is that of a mapping with the defaults. */
export const health = () => {
  const title = 'a path such as /healthz, none, or { path, interval, timeout, healthy, unhealthy }';
  const { least, most } = HEALTH_BOUNDS.times;
  const times = (description: string, preset: number) =>
    Type.Integer({
      minimum: least,
      maximum: most,
      title: `a whole number from ${least} to ${most}`,
      description,
      default: preset,
    });
  const text = Type.String({ minLength: 1, maxLength: MOST.text, title });
  const parts = Type.Object(
    {
      path: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: MOST.text,
          title: 'a path such as /healthz',
          description: 'GET has to be answered with 2xx or 3xx. Without it a TCP connection is enough.',
        }),
      ),
      interval: Type.Optional(span('Between one answer and the next question. Default 5s.')),
      timeout: Type.Optional(span('The longest that an answer may take. Default 1s.')),
      healthy: Type.Optional(times('Answers in a row that make an app that was down up.', 1)),
      unhealthy: Type.Optional(times('Failures in a row that make an app that was up down.', 3)),
    },
    { ...closed, title: 'a mapping with path, interval, timeout, healthy or unhealthy' },
  );
  const description =
    'How its own sidecar asks the app whether it can take calls. Default: by a TCP connection. none: it does not.';
  return Type.Union([text, parts], { title, description });
};
export const size = (description: string, preset: string | number) => {
  const title = 'a size such as 64KiB or 10MiB, or a number of bytes';
  const text = Type.String({ pattern: String.raw`^\d{1,9}(KiB|MiB|GiB)$`, title });
  return Type.Union([text, Type.Integer({ minimum: 0, title })], { title, description, default: preset });
};
export const workers = () =>
  Type.Integer({
    minimum: 1,
    maximum: 64,
    title: 'a whole number from 1 to 64',
    description:
      'How many threads its proxy has where Weft starts it, or with --standalone; elsewhere `--workers` says it.',
    default: 1,
  });
export const texts = (item: string, title: string, description?: string) =>
  Type.Array(Type.String({ maxLength: MOST.text, title: item }), {
    minItems: 1,
    maxItems: MOST.items,
    title,
    ...(description === undefined ? {} : { description }),
  });
export const names = (title: string, description: string) =>
  Type.Array(Type.String({ maxLength: MOST.text, title: 'a name' }), { maxItems: MOST.rules, title, description });
export const oneOrMany = (title: string, description: string) => {
  const one = Type.String({ minLength: 1, maxLength: MOST.text, title });
  const item = Type.String({ minLength: 1, maxLength: MOST.text, title: 'a name' });
  const many = Type.Array(item, { minItems: 1, maxItems: MOST.rules, title });
  return Type.Union([one, many], { title, description });
};
export const named = <T extends TSchema>(value: T, title: string, description: string) =>
  Type.Record(Type.String({ pattern: NAME_PATTERN }), value, { ...closed, title, description });

const PROTOCOL = {
  title: '"http", "http2", "grpc" or "tcp"',
  description:
    'What the app speaks. http: HTTP/1.1. http2 and grpc: HTTP/2, without TLS by prior knowledge. tcp: bytes.',
};
export const protocol = Type.Enum(['http', 'http2', 'grpc', 'tcp'], { ...PROTOCOL, default: 'http' });
/** Of a port in `ports`: its name may say it. */
export const portProtocol = Type.Enum(['http', 'http2', 'grpc', 'tcp'], PROTOCOL);
