// The text of a join token: `weft1.<id>.<secret>.<root>`. The id names the record, the secret proves the holder,
// and the root's SHA-256 lets the holder recognise the control plane at first contact.
import { err, ok, type Result } from '../../core/kit/result.ts';
import { MeshError } from '../../core/kit/error.ts';
import { Secret } from './secret.ts';

export interface JoinToken {
  /** 16 lower-case hex digits: the same file name on every file system. */
  readonly id: string;
  /** 256 random bits, base64url. */
  readonly secret: Secret;
  /** SHA-256 of the root certificate's DER, base64url. */
  readonly rootFingerprint: string;
}

const TOKEN = /^weft1\.([0-9a-f]{16})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;
const MAX_LENGTH = 256;

export function formatToken(token: JoinToken): string {
  return `weft1.${token.id}.${token.secret.reveal()}.${token.rootFingerprint}`;
}

/** White space around it is ignored, as files and environment variables bring it. */
export function parseToken(text: string): Result<JoinToken, MeshError> {
  const match = text.length > MAX_LENGTH ? null : TOKEN.exec(text.trim());
  const [, id, secret, rootFingerprint] = match ?? [];
  if (id === undefined || secret === undefined || rootFingerprint === undefined) {
    return err(
      new MeshError('token-invalid', {
        detail: 'it is not of the form weft1.….….…',
        hint: 'make one with `weft token create --service NAME` and pass it whole',
      }),
    );
  }
  return ok({ id, secret: new Secret(secret), rootFingerprint });
}
