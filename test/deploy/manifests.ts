/** What deploy/ holds, parsed. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import * as z from 'zod';

export const DEPLOY = resolve(import.meta.dirname, '../../deploy');
export const readDeployed = (path: string): string => readFileSync(join(DEPLOY, path), 'utf8');

const records = z.record(z.string(), z.unknown());

const SERVICE = z.looseObject({
  image: z.string(),
  command: z.array(z.string()).optional(),
  user: z.string().optional(),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
  cap_add: z.array(z.string()).optional(),
  privileged: z.boolean().optional(),
  security_opt: z.array(z.string()).optional(),
  mem_limit: z.string().optional(),
  pids_limit: z.number().optional(),
  restart: z.string().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  secrets: z.array(z.string()).default([]),
  configs: z.array(z.object({ source: z.string(), target: z.string() })).default([]),
  volumes: z.array(z.string()).default([]),
  networks: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  depends_on: records.default({}),
  healthcheck: z.looseObject({ test: z.array(z.string()).optional(), disable: z.boolean().optional() }).optional(),
});
export type Service = z.output<typeof SERVICE>;

const COMPOSE = z.looseObject({
  services: z.record(z.string(), SERVICE),
  networks: z.record(z.string(), z.looseObject({ internal: z.boolean().optional() })),
  volumes: records,
  configs: z.record(z.string(), z.object({ file: z.string() })),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
});
export type Compose = z.output<typeof COMPOSE>;

/** The file as Compose reads it: with its anchors and merges. */
export const composeText = (): Record<string, unknown> =>
  records.parse(parse(readDeployed('compose.yaml'), { merge: true }));
export const compose = (): Compose => COMPOSE.parse(composeText());

/** One object of a Kubernetes manifest. */
export type KubeObject = z.output<typeof OBJECT>;
const OBJECT = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});

/** The objects of the files that a kustomization lists, as they stand there. */
export function objectsOf(folder: string): KubeObject[] {
  const { resources } = z
    .looseObject({ resources: z.array(z.string()) })
    .parse(parse(readDeployed(`${folder}/kustomization.yaml`)));
  return resources
    .filter((name) => name.endsWith('.yaml'))
    .flatMap((name) => parseAllDocuments(readDeployed(`${folder}/${name}`), { merge: true }))
    .map((document) => {
      if (document.errors.length > 0) throw document.errors[0] ?? new Error('unreadable');
      return OBJECT.parse(document.toJS());
    });
}

/** What `kubectl kustomize` makes of a folder; undefined where there is no kubectl. */
export function rendered(folder: string): KubeObject[] | undefined {
  if (!hasKubectl()) return undefined;
  const text = execFileSync('kubectl', ['kustomize', join(DEPLOY, folder)], { encoding: 'utf8' });
  return parseAllDocuments(text).map((document) => OBJECT.parse(document.toJS()));
}

export function hasKubectl(): boolean {
  try {
    execFileSync('kubectl', ['kustomize', '--help'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const SECURITY = z
  .looseObject({
    allowPrivilegeEscalation: z.boolean().optional(),
    readOnlyRootFilesystem: z.boolean().optional(),
    privileged: z.boolean().optional(),
    capabilities: z.object({ drop: z.array(z.string()).optional(), add: z.array(z.string()).optional() }).optional(),
  })
  .default({});
const CONTAINER = z.looseObject({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).default([]),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).default([]),
  securityContext: SECURITY,
  resources: z.looseObject({
    requests: z.record(z.string(), z.string()),
    limits: z.record(z.string(), z.string()),
  }),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })).default([]),
  livenessProbe: records.optional(),
  readinessProbe: records.optional(),
  startupProbe: records.optional(),
});
export type Container = z.output<typeof CONTAINER>;

const DEPLOYMENT = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.looseObject({
      metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
      spec: z.looseObject({
        serviceAccountName: z.string(),
        automountServiceAccountToken: z.boolean().optional(),
        securityContext: z.looseObject({
          runAsNonRoot: z.boolean(),
          runAsUser: z.number(),
          seccompProfile: z.object({ type: z.string() }),
        }),
        initContainers: z.array(CONTAINER).default([]),
        containers: z.array(CONTAINER),
        volumes: z.array(
          z.looseObject({
            name: z.string(),
            secret: z.looseObject({ secretName: z.string(), items: z.array(z.unknown()).optional() }).optional(),
          }),
        ),
      }),
    }),
  }),
});
export const deploymentOf = (object: KubeObject): z.output<typeof DEPLOYMENT> => DEPLOYMENT.parse(object);
