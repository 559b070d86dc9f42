// The parts of compose.weft.yml that are Weft's alone: what its containers share, the one-shot that makes authority and
// tokens, the control plane.
import { MESH_NETWORK, type Workload } from './workloads.ts';

export interface WeftOptions {
  readonly image: string;
  /** The image's target netns. */
  readonly podImage: string;
  /** Where weft.yaml lies, seen from the folder of the compose file, with `./` in front. */
  readonly config: string;
}

export function shared({ image, podImage }: WeftOptions): object {
  const common = {
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges'],
    restart: 'unless-stopped',
  };
  return {
    'x-weft': {
      '&': 'weft',
      image,
      ...common,
      environment: { WEFT_CONTROL_PLANE: 'weft-control-plane:15012', WEFT_TOKEN_FILE: '/var/lib/weft/token' },
      depends_on: { 'weft-init': { condition: 'service_completed_successfully' } },
    },
    'x-weft-sidecar': {
      '&': 'weft-sidecar',
      '<<': '*weft',
      environment: {
        WEFT_CONTROL_PLANE: 'weft-control-plane:15012',
        WEFT_TOKEN_FILE: '/var/lib/weft/token',
        WEFT_PODS: '/run/weft',
      },
    },
    'x-weft-pod': {
      '&': 'weft-pod',
      image: podImage,
      init: true,
      ...common,
      // Given up once the rules are set.
      cap_add: ['NET_ADMIN', 'SETUID', 'SETGID'],
      volumes: ['weft-pods:/run/weft'],
    },
  };
}

export function controlPlane(workloads: readonly Workload[], { config }: WeftOptions): object {
  const folders = [`${config}:/etc/weft/weft.yaml:ro`, 'weft-control-plane:/var/lib/weft'];
  return {
    'weft-init': {
      '<<': '*weft',
      user: '0:0',
      // A new volume is handed to uid 15001, then all are given up.
      cap_add: ['CHOWN', 'SETUID', 'SETGID'],
      restart: 'no',
      depends_on: {},
      network_mode: 'none',
      healthcheck: { disable: true },
      command: [
        'compose-init',
        '--config=/etc/weft/weft.yaml',
        '--ca-dir=/var/lib/weft/ca',
        '--dir=/var/lib/weft',
        ...workloads.map(({ name, target }) => `${name}=${target}`),
      ],
      volumes: [...folders, ...workloads.map(({ name, volume }) => `${volume}:/instances/${name}`)],
    },
    'weft-control-plane': {
      '<<': '*weft',
      command: ['control-plane', '/etc/weft/weft.yaml'],
      networks: [MESH_NETWORK],
      volumes: folders,
    },
  };
}
