// The small pieces of the API's contract: what several answers have in common.
import { Type, type Static, type TSchema } from 'typebox';

/** What a schema describes, deeply readonly. */
export type Shape<T extends TSchema> = Frozen<Static<T>>;

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

const CLOSED = { additionalProperties: false } as const;

/** An object that has these keys and no others. */
export const record = <const T extends Record<string, TSchema>>(fields: T, description = '') =>
  Type.Object(fields, description === '' ? CLOSED : { ...CLOSED, description });

export const text = (description: string) => Type.String({ description });
export const texts = (description: string) => Type.Array(Type.String(), { description });
export const count = (description: string) => Type.Integer({ minimum: 0, description });
export const port = (description: string) => Type.Integer({ minimum: 0, maximum: 65_535, description });
export const flag = (description: string) => Type.Boolean({ description });
export const time = (description: string) =>
  Type.String({ format: 'date-time', description: `${description} RFC 3339, UTC.` });
export const orNull = <const T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const oneOf = <const T extends string>(values: readonly T[], description: string) =>
  Type.Unsafe<T>({ type: 'string', enum: [...values], description });

export const AT = text('Where it stands in the configuration, `file:line:column`; empty where that is not known.');
