/** deploy/kubernetes: valid, closed, and made of commands and config that Redactory accepts. */
import { ScaledObject, TriggerAuthentication } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Namespace, Service, ServiceAccount } from 'kubernetes-models/v1';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { loadConfig } from '../../src/config.ts';
import { readKeyFile } from '../../src/privacy/keys/key-files.ts';
import { MAX_GRANT_MS } from '../../src/producers/gateway/protocol.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { whyRefused } from './command-line.ts';
import { DEPLOY, deploymentOf, hasKubectl, objectsOf, readDeployed, rendered, type KubeObject } from './manifests.ts';

const BASE = 'kubernetes/base';
const OVERLAY = 'kubernetes/overlays/example';
const ROLES = { sanitizer: 'sanitize', sink: 'sink', gateway: 'gateway', steward: 'steward' } as const;

const objects = objectsOf(BASE);
const of = (kind: string): KubeObject[] => objects.filter((object) => object.kind === kind);
const deployments = of('Deployment').map(deploymentOf);
const containers = deployments.flatMap(({ metadata, spec }) =>
  [...spec.template.spec.initContainers, ...spec.template.spec.containers].map((container) => ({
    name: `${metadata.name}/${container.name}`,
    container,
  })),
);
const told = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.name}`;

/** Kinds by their schemas, of Kubernetes' and KEDA's own API; a kind that is not here fails. */
const MODELS: Readonly<Record<string, new (data: never) => { validate(): void }>> = {
  ConfigMap,
  Deployment,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  ScaledObject,
  Service,
  ServiceAccount,
  TriggerAuthentication,
};
function validate(object: KubeObject): void {
  const Model = MODELS[object.kind];
  if (Model === undefined) throw new Error(`${object.kind} has no schema here: add it to MODELS`);
  // The model's own type is what is to be found out.
  new Model(object as never).validate();
}

describe('deploy/kubernetes/base', () => {
  it.each(objects.map((object) => [told(object), object] as const))('%s is what the API describes', (_name, object) => {
    expect(() => validate(object)).not.toThrow();
  });

  it('would be told of what the API does not describe', () => {
    const [first] = of('Deployment');
    expect(() => validate({ ...first, spec: { replicas: 'two' } } as unknown as KubeObject)).toThrow(/replicas/u);
  });

  it('has a deployment, an identity, a policy and a budget for each role, and no more', () => {
    const names = Object.keys(ROLES).map((role) => `redactory-${role}`);
    for (const kind of ['Deployment', 'ServiceAccount', 'PodDisruptionBudget']) {
      expect(of(kind).map(({ metadata }) => metadata.name)).toEqual(names);
    }
    expect(of('NetworkPolicy').map(({ metadata }) => metadata.name)).toEqual(['deny-by-default', ...names]);
    expect(deployments.map(({ spec }) => spec.template.spec.serviceAccountName)).toEqual(names);
  });

  it('selects the pods of its role in each of them', () => {
    for (const { metadata, spec } of deployments) {
      expect(spec.template.metadata.labels).toEqual(spec.selector.matchLabels);
      const selecting = [...of('NetworkPolicy'), ...of('PodDisruptionBudget')].filter(
        (object) => object.metadata.name === metadata.name,
      );
      expect(selecting).toHaveLength(2);
      for (const object of selecting)
        expect(JSON.stringify(object)).toContain(JSON.stringify(spec.selector.matchLabels));
    }
  });

  it('lets nobody talk but as a policy says', () => {
    const [deny, ...others] = of('NetworkPolicy');
    expect(deny?.['spec']).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    const rules = z.object({ ports: z.array(z.unknown()).min(1) }).loose();
    for (const object of others) {
      const spec = z
        .object({
          policyTypes: z.tuple([z.literal('Ingress'), z.literal('Egress')]),
          ingress: z.array(rules),
          egress: z.array(rules),
        })
        .loose();
      expect(() => spec.parse(object['spec'])).not.toThrow();
    }
  });

  it.each(deployments.map((one) => [one.metadata.name, one.spec.template.spec] as const))(
    '%s has pods that `restricted` admits',
    (_name, pod) => {
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(pod.securityContext.runAsUser).toBeGreaterThan(0);
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(JSON.stringify(pod)).not.toMatch(/"host(?:Network|PID|IPC|Path|Port)"/u);
    },
  );

  it.each(containers)('$name is closed and bounded', ({ container }) => {
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(Object.keys(container.resources.requests)).toEqual(['cpu', 'memory']);
    expect(container.resources.limits['memory']).toMatch(/^\d+(?:Mi|Gi)$/u);
    expect(container.env.filter(({ name }) => /PASSWORD|SECRET_|TOKEN|_KEY$/u.test(name))).toEqual([]);
  });

  it('has probes for each process that goes on', () => {
    for (const { spec } of deployments) {
      for (const { livenessProbe, readinessProbe, startupProbe } of spec.template.spec.containers) {
        expect(livenessProbe).toMatchObject({ httpGet: { path: '/livez', port: 'telemetry' } });
        expect(startupProbe).toMatchObject({ httpGet: { path: '/livez', port: 'telemetry' } });
        expect(readinessProbe).toMatchObject({ httpGet: { path: '/readyz', port: 'telemetry' } });
      }
    }
  });

  it('runs commands that there are, each its role’s', async () => {
    for (const { metadata, spec } of deployments) {
      const [container] = spec.template.spec.containers;
      expect(await whyRefused(container?.args ?? [])).toBeUndefined();
      const role = metadata.name.replace('redactory-', '');
      expect(Object.entries(ROLES)).toContainEqual([role, container?.args[0]]);
    }
  });

  it('gives the master key to the sanitizer and the steward, and each role its own user of Kafka', () => {
    const secrets = deployments.map(({ spec }) =>
      spec.template.spec.volumes.flatMap(({ secret }) => (secret === undefined ? [] : [secret.secretName])),
    );
    expect(secrets).toEqual([
      ['redactory-kafka-sanitizer', 'redactory-keys'],
      ['redactory-kafka-sink', 'redactory-table-store'],
      ['redactory-kafka-gateway', 'redactory-gateway-tls', 'redactory-keys'],
      ['redactory-kafka-steward', 'redactory-steward-store', 'redactory-steward-tls', 'redactory-keys'],
    ]);
    const gateway = deployments[2]?.spec.template.spec.volumes ?? [];
    expect(gateway.find(({ secret }) => secret?.secretName === 'redactory-keys')?.secret?.items).toEqual([
      { key: 'ingest.key', path: 'ingest.key' },
    ]);
    // By reference: a Secret itself is nothing for a manifest.
    expect(of('Secret')).toEqual([]);
  });

  it('sends each recorder to the same gateway for longer than a session lasts', () => {
    const service = of('Service').find(({ metadata }) => metadata.name === 'redactory-gateway');
    const gateway = deployments[2]?.spec;
    expect(service?.['spec']).toMatchObject({
      selector: gateway?.selector.matchLabels,
      ports: [{ port: 443, targetPort: 'recorders' }],
      sessionAffinity: 'ClientIP',
    });
    const { sessionAffinityConfig: lasts } = z
      .looseObject({ sessionAffinityConfig: z.object({ clientIP: z.object({ timeoutSeconds: z.number() }) }) })
      .parse(service?.['spec']);
    expect(lasts.clientIP.timeoutSeconds * 1_000).toBeGreaterThan(MAX_GRANT_MS);
    expect(JSON.stringify(gateway?.template.spec)).toContain('{"name":"recorders","containerPort":8478}');
  });

  it('has one steward at a time, which the gateway alone reaches, and whose metrics Prometheus alone', () => {
    expect(of('Service').map(({ metadata }) => metadata.name)).toEqual(['redactory-gateway', 'redactory-steward']);
    const steward = of('Deployment').find(({ metadata }) => metadata.name === 'redactory-steward');
    expect(steward?.['spec']).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
    const { selector, template } = deployments[3]?.spec ?? {};
    expect(of('Service')[1]?.['spec']).toEqual({
      selector: selector?.matchLabels,
      ports: [{ name: 'https', port: 443, targetPort: 'people' }],
    });
    expect(JSON.stringify(template?.spec)).toContain('{"name":"people","containerPort":8479}');
    const policy = (role: string): unknown =>
      of('NetworkPolicy').find(({ metadata }) => metadata.name === `redactory-${role}`)?.['spec'];
    const monitoring = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } };
    const port = 8_479;
    expect(policy('steward')).toMatchObject({
      ingress: [
        { from: [monitoring], ports: [{ port: 9_464 }] },
        { from: [{ podSelector: deployments[2]?.spec.selector }], ports: [{ port }] },
      ],
    });
    const toSteward = { to: [{ podSelector: selector }], ports: [{ protocol: 'TCP', port }] };
    expect(policy('gateway')).toMatchObject({ egress: expect.arrayContaining([toSteward]) as unknown });
  });

  it('scales on the lag of the group that sanitizers are in', () => {
    const [scaled] = of('ScaledObject');
    expect(scaled?.['spec']).toMatchObject({
      scaleTargetRef: { name: 'redactory-sanitizer' },
      triggers: [{ type: 'kafka', metadata: { consumerGroup: 'sanitize', topic: TOPICS.raw } }],
      minReplicaCount: 2,
    });
    // Otherwise each `apply` would put the number back.
    expect(of('Deployment')[0]?.['spec']).not.toHaveProperty('replicas');
  });
});

describe.each([BASE, OVERLAY])('deploy/%s', (folder) => {
  it('has a config that Redactory accepts, with paths that are mounted', async () => {
    const config = await loadConfig({ file: join(DEPLOY, folder, 'redactory.yaml'), env: {}, cwd: '/' });
    expect(config.telemetry).toMatchObject({ host: '0.0.0.0', port: 9464 });
    expect(config.kafka?.tls).toBeDefined();
    const [sanitizer, sink, gateway, steward] = deployments.map(({ spec }) =>
      (spec.template.spec.containers[0]?.volumeMounts ?? []).map(({ mountPath }) => mountPath),
    );
    const isUnder = (mounts: readonly string[] | undefined, path: string | undefined): boolean =>
      path !== undefined && mounts?.some((mount) => path.startsWith(`${mount}/`)) === true;
    for (const mounts of [sanitizer, sink, gateway, steward]) {
      // Not the mount itself: that belongs to root, and Redactory closes its folder.
      expect(isUnder(mounts, config.data)).toBe(true);
      expect(isUnder(mounts, config.kafka?.tls?.caFile)).toBe(true);
      // Every role asks the registry, by a name that no public authority signs.
      expect(isUnder(mounts, config.registry?.caFile)).toBe(true);
    }
    expect(isUnder(sanitizer, config.kafka?.identities?.sanitizer?.passwordFile)).toBe(true);
    expect(isUnder(sink, config.kafka?.identities?.sink?.passwordFile)).toBe(true);
    expect(isUnder(gateway, config.kafka?.identities?.gateway?.passwordFile)).toBe(true);
    expect(isUnder(gateway, config.keys.ingestFile)).toBe(true);
    expect(config.gateway).toMatchObject({ host: '0.0.0.0', port: 8478 });
    expect(isUnder(gateway, config.gateway.tls?.certFile)).toBe(true);
    expect(isUnder(gateway, config.gateway.tls?.keyFile)).toBe(true);
    expect(isUnder(sanitizer, config.keys.masterFile)).toBe(true);
    expect(isUnder(sanitizer, config.keys.ingestFile)).toBe(true);
    expect(isUnder(sink, config.keys.masterFile)).toBe(false);
    expect(isUnder(steward, config.kafka?.identities?.steward?.passwordFile)).toBe(true);
    expect(isUnder(steward, config.keys.masterFile)).toBe(true);
    expect(isUnder(steward, config.keys.ingestFile)).toBe(true);
    expect(isUnder(steward, config.steward.tls?.certFile)).toBe(true);
    expect(isUnder(steward, config.steward.tls?.keyFile)).toBe(true);
    expect(config.steward).toMatchObject({
      host: '0.0.0.0',
      port: 8479,
      url: 'https://redactory-steward.redactory.svc',
    });
    const trusted = deployments[2]?.spec.template.spec.containers[0]?.env.find(
      ({ name }) => name === 'NODE_EXTRA_CA_CERTS',
    );
    expect(isUnder(gateway, trusted?.value)).toBe(true);
  });

  it('has no more sanitizers than partitions, whose number the operator makes', async () => {
    const { topics } = await loadConfig({ file: join(DEPLOY, folder, 'redactory.yaml'), env: {}, cwd: '/' });
    expect(maxReplicas(folder)).toBeLessThanOrEqual(topics.partitions);
  });

  const lacking = hasKubectl() ? '' : ' (skipped: there is no kubectl)';
  it.skipIf(lacking !== '')(`is put together by kustomize${lacking}`, () => {
    const all = rendered(folder) ?? [];
    expect(all.length).toBe(objects.length + 1);
    for (const object of all) validate(object);
    for (const deployment of all.filter(({ kind }) => kind === 'Deployment').map(deploymentOf)) {
      for (const { image } of deployment.spec.template.spec.containers)
        expect(image).toMatch(/redactory:\d+\.\d+\.\d+$/u);
    }
  });
});

describe('the config of the operator’s machine', () => {
  it('is of the same line as that of the pods', async () => {
    const [operator, pods] = await Promise.all(
      ['operator.yaml', 'redactory.yaml'].map((name) =>
        loadConfig({ file: join(DEPLOY, OVERLAY, name), env: {}, cwd: '/' }),
      ),
    );
    const same = ({ topics, table, policy, s3, kafka, registry }: NonNullable<typeof pods>): unknown => {
      const { brokers, replicationFactor, sasl } = kafka ?? {};
      return { topics, table, policy, s3, brokers, replicationFactor, sasl, registry: registry?.url };
    };
    if (operator === undefined || pods === undefined) throw new Error('two were asked for');
    expect(same(operator)).toEqual(same(pods));
    expect(Object.keys(operator.kafka?.identities ?? {})).toEqual(expect.arrayContaining(['operator']));
    for (const role of ['sanitizer', 'sink'] as const) {
      expect(operator.kafka?.identities?.[role]?.username).toBe(pods.kafka?.identities?.[role]?.username);
    }
  });
});

describe('deploy/prometheus/prometheus-kubernetes.yaml', () => {
  it('scrapes one port of each pod, under a job that the alerts go by', () => {
    const found = deployments.flatMap(({ metadata, spec }) => {
      const { labels } = spec.template.metadata;
      const ports = spec.template.spec.containers.flatMap((container) => PORTS.parse(container).ports);
      return ports.map(({ name, containerPort }) =>
        relabelled({
          __address__: `10.0.0.1:${containerPort}`,
          __meta_kubernetes_pod_name: metadata.name,
          __meta_kubernetes_pod_phase: 'Running',
          __meta_kubernetes_pod_container_port_name: name,
          ...Object.fromEntries(
            Object.entries(labels).map(([key, value]) => [
              `__meta_kubernetes_pod_label_${key.replaceAll(/[^\w]/gu, '_')}`,
              value,
            ]),
          ),
        }),
      );
    });
    const scraped = found.filter((target) => target !== undefined);
    expect(scraped.map(({ job }) => job)).toEqual(Object.keys(ROLES).map((role) => `redactory-${role}`));
    for (const { __address__: address, job, instance } of scraped) {
      expect(address).toMatch(/:9464$/u);
      expect(instance).toBe(job);
    }
    const alerts = readDeployed('prometheus/alerts.yaml');
    for (const [, pattern = ''] of alerts.matchAll(/job=~"([^"]+)"/gu)) {
      for (const { job } of scraped) expect(job).toMatch(new RegExp(`^(?:${pattern})$`, 'u'));
    }
  });
});

const PORTS = z.looseObject({ ports: z.array(z.object({ name: z.string(), containerPort: z.number() })) });
const SCRAPES = z.looseObject({
  scrape_configs: z.tuple([
    z.looseObject({
      relabel_configs: z.array(
        z.strictObject({
          source_labels: z.tuple([z.string()]),
          regex: z.string().default('(.*)'),
          action: z.enum(['keep', 'drop', 'replace']).default('replace'),
          target_label: z.string().default(''),
          replacement: z.string().default('$1'),
        }),
      ),
    }),
  ]),
});

/** What the example's rules make of a target that Prometheus finds, as https://prometheus.io/docs says; undefined if it is left out. */
function relabelled(found: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
  const target = { ...found };
  const [{ relabel_configs: rules }] = SCRAPES.parse(
    parse(readDeployed('prometheus/prometheus-kubernetes.yaml')),
  ).scrape_configs;
  for (const { source_labels: sources, regex, action, target_label: label, replacement } of rules) {
    const pattern = new RegExp(`^(?:${regex})$`, 'u');
    const value = target[sources[0]] ?? '';
    if (action !== 'replace' && pattern.test(value) !== (action === 'keep')) return undefined;
    if (action === 'replace') target[label] = value.replace(pattern, replacement);
  }
  return target;
}

/** Sanitizers at most: of the base's ScaledObject, or what an overlay's patch puts in its place. */
function maxReplicas(folder: string): number {
  const [, patched] =
    /path: \/spec\/maxReplicaCount, value: (\d+)/u.exec(readDeployed(`${folder}/kustomization.yaml`)) ?? [];
  const { maxReplicaCount } = z.looseObject({ maxReplicaCount: z.number() }).parse(of('ScaledObject')[0]?.['spec']);
  return patched === undefined ? maxReplicaCount : Number(patched);
}

describe.each([
  ['sanitizer', 0],
  ['steward', 3],
] as const)('the init container of the %s', (_role, index) => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keys-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('makes key files that Redactory takes, of links that it does not', async () => {
    // As a Secret is mounted: links to files that the group may read. As an emptyDir is: open to all.
    const mounted = join(folder, 'mounted');
    const keys = join(folder, 'keys');
    await mkdir(join(mounted, '..data'), { recursive: true });
    await mkdir(keys);
    await chmod(keys, 0o777);
    for (const [i, name] of ['master.key', 'ingest.key'].entries()) {
      await writeFile(join(mounted, '..data', name), `${Buffer.alloc(32, i + 1).toString('base64')}\n`, {
        mode: 0o440,
      });
      await symlink(join('..data', name), join(mounted, name));
      await expect(readKeyFile(join(mounted, name))).rejects.toThrow(/link/u);
    }
    const init = deployments[index]?.spec.template.spec.initContainers[0];
    const [command = '', ...first] = init?.command ?? [];
    const run = (): void =>
      void execFileSync(command, [...first, ...(init?.args ?? [])], {
        env: { PATH: process.env['PATH'], KEYS: keys, MOUNTED: mounted },
      });
    run();
    // The container may be started again in the same pod.
    run();
    expect(await readKeyFile(join(keys, 'private/master.key'))).toEqual(new Uint8Array(32).fill(1));
    expect(await readKeyFile(join(keys, 'private/ingest.key'))).toEqual(new Uint8Array(32).fill(2));
  });

  it('asks for no master key, which there is none of where a service wraps keys, but for the ingest key', async () => {
    const init = deployments[index]?.spec.template.spec.initContainers[0];
    const [command = '', ...first] = init?.command ?? [];
    const env = { PATH: process.env['PATH'], KEYS: join(folder, 'keys'), MOUNTED: folder };
    const run = (): void =>
      void execFileSync(command, [...first, ...(init?.args ?? [])], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    expect(run).toThrow(/ingest\.key/u);
    await writeFile(join(folder, 'ingest.key'), `${Buffer.alloc(32, 2).toString('base64')}\n`);
    expect(run).not.toThrow();
    expect(await readKeyFile(join(folder, 'keys/private/ingest.key'))).toEqual(new Uint8Array(32).fill(2));
  });
});
