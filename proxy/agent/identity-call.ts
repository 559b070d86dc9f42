// One unary call to weft.v1.Join or weft.v1.Identity, with its answer checked for shape and its error turned back
// into the MeshError that the control plane meant.
import { Client, type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import { ERRORS, type ErrorCode } from '../../core/kit/error-table.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import { formatAddress } from '../../host/setting-kinds.ts';
import { certificatesPem } from '../../certs/x509/pem.ts';
import type { Issued__Output } from '../../proto/gen/weft/v1/Issued.ts';
import { unwrapped } from './connection-report.ts';
import { CONTROL_PLANE_CHANNEL, controlPlaneCredentials, type ControlPlaneTrust } from './control-plane-channel.ts';
import type { IssuedFiles } from './identity-folder.ts';

const CALL_TIMEOUT = 10_000;
const MAX_CERTIFICATES = 8;

export interface IdentityCall<Request> {
  readonly address: HostPort;
  readonly trust: ControlPlaneTrust;
  readonly method: MethodDefinition<Request, Issued__Output>;
  readonly request: Request;
  readonly signal?: AbortSignal;
}

/** Throws MeshError: the code that the control plane sent, else `peer-refused` or `control-plane-unreachable`. */
export async function callForIdentity<Request>(call: IdentityCall<Request>): Promise<IssuedFiles> {
  let refusal: MeshError | null = null;
  const credentials = controlPlaneCredentials(call.trust, (error) => {
    refusal = error;
  });
  const client = new Client(formatAddress(call.address), credentials, CONTROL_PLANE_CHANNEL);
  try {
    const issued = await unary(client, call);
    if (issued.chain.length === 0 || issued.chain.length > MAX_CERTIFICATES || issued.bundle.length === 0) {
      throw new MeshError('peer-refused', { detail: 'the control plane answered without certificates' });
    }
    return {
      chainPem: certificatesPem(issued.chain),
      bundlePem: certificatesPem(issued.bundle),
      instance: issued.instance,
    };
  } catch (error) {
    throw refusal ?? error;
  } finally {
    client.close();
  }
}

function unary<Request>(client: Client, call: IdentityCall<Request>): Promise<Issued__Output> {
  const { path, requestSerialize, responseDeserialize } = call.method;
  return new Promise((resolve, reject) => {
    const stream = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      call.request,
      { deadline: Date.now() + CALL_TIMEOUT },
      (error, issued) => {
        call.signal?.removeEventListener('abort', cancel);
        if (error !== null) reject(toMeshError(error, call.address));
        else if (issued === undefined) reject(new MeshError('peer-refused', { detail: 'an empty answer' }));
        else resolve(issued);
      },
    );
    const cancel = (): void => stream.cancel();
    call.signal?.addEventListener('abort', cancel, { once: true });
  });
}

function toMeshError(error: ServiceError, address: HostPort): MeshError {
  const [name] = error.metadata.get('weft-error');
  if (typeof name === 'string' && isErrorCode(name)) return new MeshError(name, { origin: 'upstream', cause: error });
  return new MeshError('control-plane-unreachable', {
    origin: 'upstream',
    detail: `${formatAddress(address)}: ${unwrapped(error.details)}`,
    cause: error,
  });
}

function isErrorCode(name: string): name is ErrorCode {
  return Object.hasOwn(ERRORS, name);
}
