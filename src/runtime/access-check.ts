/** Whether a cluster keeps to its plan, found out by trying: each identity does what it may and what it must not. */
import { ROLES, type Role } from '../config-kafka.ts';
import { isAllowed, type Acl, type Resource } from '../log/kafka/acls.ts';
import { openAccessProbe, PROBES, trySignIn, type Probe, type ProbeResult } from '../log/kafka/access-probe.ts';
import type { KafkaOptions, Sasl } from '../log/kafka/options.ts';
import { aclOf, type AccessPlan } from './access.ts';

/** One try. `as` is a part of the line, or how a stranger signs in. */
export interface Trial {
  readonly as: Role | Stranger;
  readonly probe: Probe | 'sign in';
  readonly expected: 'allowed' | 'denied';
}

export type Stranger = 'nobody' | 'wrong secret';

export interface TrialResult extends Trial {
  readonly got: ProbeResult;
  readonly ok: boolean;
}

/**
 * All that can be tried: every part with everything that any of them is granted, and more that none may do. What is expected
 * follows from the plan. Pure.
 */
export function trialsOf(plan: AccessPlan): readonly Trial[] {
  const acls = plan.grants.map(aclOf);
  const probes = uniqueResources(plan).flatMap(probesOf);
  return ROLES.flatMap((as) =>
    probes.map((probe): Trial => ({ as, probe, expected: expectedOf(acls, plan.principals[as], probe) })),
  );
}

/**
 * Runs the trials, and strangers' tries to sign in where the config signs in; nothing on the cluster changes. Asks how a part
 * signs in only for parts that trials are about: a machine of one part has no other's secret.
 */
export async function runTrials(
  trials: readonly Trial[],
  optionsOf: (role: Role) => KafkaOptions,
  signal: AbortSignal,
): Promise<readonly TrialResult[]> {
  const results: TrialResult[] = [];
  const tried = ROLES.filter((role) => trials.some(({ as }) => as === role));
  for (const stranger of tried.slice(0, 1).flatMap((role) => strangersOf(optionsOf(role)))) {
    if (signal.aborted) return results;
    const trial: Trial = { as: stranger.as, probe: 'sign in', expected: 'denied' };
    results.push(resultOf(trial, await trySignIn(stranger.options)));
  }
  for (const role of tried) {
    const probe = openAccessProbe(optionsOf(role));
    try {
      for (const trial of trials) {
        if (trial.as !== role || trial.probe === 'sign in') continue;
        if (signal.aborted) return results;
        results.push(resultOf(trial, await probe.try(trial.probe)));
      }
    } finally {
      probe.close();
    }
  }
  return results;
}

function resultOf(trial: Trial, got: ProbeResult): TrialResult {
  return { ...trial, got, ok: got.verdict === trial.expected };
}

function expectedOf(acls: readonly Acl[], principal: string, { type, operation, name }: Probe): Trial['expected'] {
  const resource: Resource = { type, name, pattern: 'literal' };
  return isAllowed(acls, { principal, operation, resource }) ? 'allowed' : 'denied';
}

function uniqueResources({ grants }: AccessPlan): readonly Resource[] {
  const byName = new Map(grants.map(({ resource }) => [JSON.stringify(resource), resource]));
  return [...byName.values()];
}

/** Of all names that begin alike one is tried, which nothing has. */
function probesOf({ type, name, pattern }: Resource): readonly Probe[] {
  if (type === 'other') return [];
  const tried = pattern === 'prefixed' ? `${name}redactory-verify` : name;
  // The operations are those of this type.
  return PROBES[type].map((operation) => ({ type, operation, name: tried }) as Probe);
}

/** Who must not get in: somebody who does not sign in, and somebody with a wrong secret. */
function strangersOf(options: KafkaOptions): readonly { readonly as: Stranger; readonly options: KafkaOptions }[] {
  const { sasl, tls, ...rest } = options;
  if (sasl !== undefined) {
    const encrypted = tls === undefined ? rest : { ...rest, tls };
    return [
      { as: 'nobody', options: encrypted },
      { as: 'wrong secret', options: { ...encrypted, sasl: spoilt(sasl) } },
    ];
  }
  if (tls?.certFile === undefined) return [];
  return [{ as: 'nobody', options: { ...rest, tls: { caFile: tls.caFile } } }];
}

function spoilt(sasl: Sasl): Sasl {
  const wrong = async (): Promise<string> => 'not the secret';
  return sasl.mechanism === 'oauthbearer' ? { ...sasl, token: wrong } : { ...sasl, password: wrong };
}
