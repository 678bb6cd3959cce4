import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../src/events/control.ts';
import { appendTo, hashOf } from '../../src/runtime/audit/chain.ts';
import { auditBounds, decoded, readAudit } from '../../src/runtime/audit/trail.ts';
import { AUDITED_WORK } from '../../src/runtime/audit.ts';
import { appendRequest } from '../../src/runtime/requests.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { createBench, type Bench, type Given } from './harness.ts';

const SUBJECT = 'ana.secret@example.org';
const START = Date.UTC(2026, 10, 10, 9);

let bench: Bench;
let now: number;
beforeEach(async () => {
  bench = await createBench();
  now = START;
});
afterEach(() => bench.remove());

const given: Given = { now: () => now };
const ANCHORS = 'anchors.jsonl';

async function done(args: string | readonly string[], of = bench): Promise<string> {
  const { code, stdout, stderr } = await of.run(args, given);
  expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
  return stdout;
}

const recordsOf = (of = bench): Promise<readonly AuditRecord[]> =>
  of.withWorkspace(async ({ log, codec }) => {
    const records: AuditRecord[] = [];
    for await (const { value } of readAudit(log, ...(await auditBounds(log)))) {
      const record = decoded(codec, value);
      if (record !== null) records.push(record);
    }
    return records;
  });

/** A data folder whose trail holds these records, as if somebody had written the topic anew. */
async function forged(records: readonly AuditRecord[]): Promise<Bench> {
  const other = await createBench();
  await other.withWorkspace(async ({ log, codec }) => {
    const values = records.map((record) => ({
      key: String(record.sequence),
      value: codec.encodeAudit(record),
      timestamp: record.at,
    }));
    if (values.length > 0) await log.append(TOPICS.audit, values);
  });
  return other;
}

interface Found {
  readonly code: number;
  readonly whole: boolean;
  readonly kinds: readonly string[];
}

/** What `audit verify` says of a trail of these records. */
async function verified(records: readonly AuditRecord[], anchors?: string): Promise<Found> {
  const other = await forged(records);
  try {
    if (anchors !== undefined) await writeFile(join(other.dir, ANCHORS), anchors);
    const compared = anchors === undefined ? [] : ['--anchor', ANCHORS];
    const { code, stdout } = await other.run(['audit', 'verify', '--json', ...compared], given);
    const verdict = JSON.parse(stdout) as { whole: boolean; findings: readonly { kind: string }[] };
    return { code, whole: verdict.whole, kinds: verdict.findings.map(({ kind }) => kind) };
  } finally {
    await other.remove();
  }
}

/** Starts of stewards, which stand alone; a change of policy has the run of the work that brings it. */
const STEWARD = 1;
const REQUEST = {
  requestId: 'asked',
  kind: 'exemption',
  reason: 'because',
  answer: null,
  answeredAt: null,
  comment: '',
} as const;

const WHOLE: Found = { code: 0, whole: true, kinds: [] };

describe('what is recorded', () => {
  it('is every command that reads raw, uses keys, or decides about people', { timeout: 120_000 }, async () => {
    const line = {
      subject: SUBJECT,
      session: 's',
      at: START,
      kind: 'key_down',
      key: 'a',
      code: 'KeyA',
      context: { app: 'Writer' },
    };
    await writeFile(join(bench.dir, 'a.jsonl'), `${JSON.stringify(line)}\n`);
    await done('import a.jsonl --format capture-jsonl --enrol --why onboarding');
    for (const kind of ['withdraw', 'exempt', 'enrol', 'resume']) await done(`consent ${kind} --subject ${SUBJECT}`);
    await done(`consent pause --minutes 1 --subject ${SUBJECT}`);
    const { tokenId, token } = await bench.json<{ tokenId: string; token: string }>(
      `devices issue --subject ${SUBJECT} --days 3 --why laptop`,
      given,
    );
    await done(`devices revoke ${tokenId}`);
    await done('run --until-end');
    await done('demo --people 1 --minutes 1 --data .redactory');
    await done('sanitize --until-end --policy balanced');
    await done('replay --policy strict --into again --why trial');
    await done('replay promote again');
    await done('replay --policy strict --into never --dry-run');
    await done('inspect raw --limit 3');
    await done('keys list');
    await done('keys rotate --why yearly');
    await done('keys rewrap');
    await done('keys sealing rotate');
    await done('keys sealing destroy --expired --yes');
    await bench.withWorkspace(async (workspace) => {
      const subjectKey = (await workspace.subjectKeys())(SUBJECT);
      await appendRequest(workspace, { ...REQUEST, subjectKey, askedAt: START });
    });
    await done(`requests answer ${REQUEST.requestId} --answer refused`);
    await done(`erase --subject ${SUBJECT}`);
    await done('sink --until-end');
    await done('steward --once');
    await done('keys destroy 2026-11 --yes');
    await done('vocabulary build --out proposed.txt --reason trial');

    const records = await recordsOf();
    const told = records.map(({ what, stage }) => `${what} ${stage}`);
    const both = (what: string): string[] => [`${what} started`, `${what} done`];
    expect(told).toEqual([
      ...['enrol', 'withdraw', 'exempt', 'enrol', 'resume', 'pause'].flatMap((kind) => both(`consent ${kind}`)),
      ...both('devices issue'),
      ...both('devices revoke'),
      ...both('run'),
      ...both('demo'),
      'policy change done',
      ...both('sanitize'),
      ...both('replay'),
      ...both('replay promote'),
      ...both('replay dry run'),
      ...both('inspect raw'),
      ...both('keys list'),
      ...both('keys rotate'),
      ...both('keys rewrap'),
      ...both('keys sealing rotate'),
      ...both('keys sealing destroy'),
      ...both('requests answer'),
      ...both('erase'),
      'steward started',
      ...both('erasure'),
      ...both('keys destroy'),
      ...both('vocabulary build'),
    ]);
    // test/runtime/playground/playground.test.ts, replay.test.ts, line.test.ts.
    const elsewhere = ['playground', 'replay abandon', 'sink refill'];
    expect(new Set([...records.map(({ what }) => what), ...elsewhere])).toEqual(new Set(AUDITED_WORK));
    expect(
      JSON.parse(records.find(({ what, stage }) => what === 'run' && stage === 'done')?.about ?? ''),
    ).toMatchObject({
      policy: expect.stringMatching(/^sha256:/u) as string,
      sealed: 'required',
      batches: 1,
    });
    expect(records.filter(({ why }) => why !== '').map(({ what, why }) => `${what}: ${why}`)).toEqual([
      ...Array<string>(2).fill('consent enrol: onboarding'),
      ...Array<string>(2).fill('devices issue: laptop'),
      ...Array<string>(2).fill('replay: trial'),
      ...Array<string>(2).fill('keys rotate: yearly'),
      ...Array<string>(2).fill('vocabulary build: trial'),
    ]);
    // The runs of two pieces of work differ, those of one do not.
    const alone = records.filter(({ what }) => what === 'policy change' || what === 'steward').length;
    expect(new Set(records.map(({ run }) => run)).size).toBe((records.length - alone) / 2 + STEWARD);
    const text = JSON.stringify(records);
    const subjectKey = await bench.withWorkspace(async (workspace) => (await workspace.subjectKeys())(SUBJECT));
    for (const personal of ['ana', 'secret', token, subjectKey]) expect(text).not.toContain(personal);
    expect(await verified(records)).toEqual(WHOLE);
  });

  it('is that work failed, too', async () => {
    await done('run --until-end');
    await writeFile(join(bench.data, 'keys', 'master.key'), `${Buffer.alloc(32, 7).toString('base64')}\n`);
    expect((await bench.run('keys rotate', given)).code).toBe(1);
    expect((await recordsOf()).slice(-2).map(({ what, stage }) => `${what} ${stage}`)).toEqual([
      'keys rotate started',
      'keys rotate failed',
    ]);
  });

  it('is one chain, however many commands run at once', { timeout: 60_000 }, async () => {
    await done(`consent enrol --subject ${SUBJECT}`);
    await Promise.all(Array.from({ length: 8 }, (_, i) => done(`consent enrol --subject person-${i}`)));
    const records = await recordsOf();
    expect(records).toHaveLength(18);
    expect(await verified(records)).toEqual(WHOLE);
  });

  it('is a reason of one line only', async () => {
    const { code, stderr } = await bench.run(['keys', 'list-not', '--why', 'x'], given);
    expect(code).toBe(2);
    expect(stderr).not.toBe('');
    expect((await bench.run(['keys', 'rotate', '--why', 'two\nlines'], given)).code).toBe(2);
  });
});

describe('audit show', () => {
  it('shows the last records, oldest first', async () => {
    expect(await done('audit show')).toBe('nothing recorded yet\n');
    await done('keys list');
    now += 1_000;
    await done('keys sealing rotate --why yearly');
    const { records } = await bench.json<{ records: readonly Record<string, unknown>[] }>(
      'audit show --limit 2',
      given,
    );
    expect(records).toMatchObject([
      { sequence: 2, what: 'keys sealing rotate', stage: 'started', why: 'yearly', at: '2026-11-10T09:00:01.000Z' },
      { sequence: 3, what: 'keys sealing rotate', stage: 'done', about: { key: expect.any(String) as string } },
    ]);
    const text = await done('audit show --limit 3');
    expect(text.split('\n')).toHaveLength(5);
    expect(text).toContain('yearly');
  });

  it('writes nothing to the terminal that a forged record asks for', async () => {
    const other = await forged([appendTo(null, { ...ENTRY, why: '\u001B[2J\u202E', at: 4e15 })]);
    const text = await done('audit show', other);
    expect(text).toContain('\uFFFD[2J\uFFFD');
    expect(text).not.toContain('\u001B');
    await other.remove();
  });
});

const ENTRY = { at: START, run: '00', who: 'op', what: 'keys list', stage: 'done', why: '', about: '{}' } as const;

/** A trail of ten records. */
async function worked(): Promise<readonly AuditRecord[]> {
  for (let i = 0; i < 5; i++) {
    now += 1_000;
    await done(`consent enrol --subject person-${i}`);
  }
  return recordsOf();
}

describe('audit verify', () => {
  it('finds nothing where nothing was touched', async () => {
    expect(await done('audit verify')).toMatch(/^no records\nanchors: none given; .*\n$/u);
    const records = await worked();
    expect(await done('audit verify')).toContain('whole: 10 records to 9, 2026-11-10T09:00:05.000Z');
    expect(await verified(records)).toEqual(WHOLE);
  });

  it('finds a change of each field', async () => {
    const records = await worked();
    const changes: Record<keyof AuditRecord, Partial<AuditRecord>> = {
      sequence: { sequence: 400 },
      previous: { previous: 'a'.repeat(64) },
      at: { at: 1 },
      run: { run: 'another' },
      who: { who: 'nobody' },
      what: { what: 'keys list' },
      stage: { stage: 'failed' },
      why: { why: 'asked to' },
      about: { about: '{"count":0}' },
      hash: { hash: 'b'.repeat(64) },
    };
    for (const [field, change] of Object.entries(changes)) {
      const tampered = records.map((record, i) => (i === 4 ? { ...record, ...change } : record));
      expect({ field, ...(await verified(tampered)) }).toMatchObject({ code: 1, whole: false });
      // With the hash that its new content has, too.
      const matching = records.map((record, i) => {
        const other = { ...record, ...change };
        return i === 4 ? { ...other, hash: field === 'hash' ? other.hash : hashOf(other) } : record;
      });
      expect({ field, ...(await verified(matching)) }).toMatchObject({ code: 1, whole: false });
    }
  });

  it('finds what is missing, moved, doubled, and no record at all; the error says where', async () => {
    const records = await worked();
    const [a, b, c, ...rest] = records as [AuditRecord, AuditRecord, AuditRecord, ...AuditRecord[]];
    expect(await verified([a, c, ...rest])).toEqual({ code: 1, whole: false, kinds: ['missing'] });
    expect(await verified([b, c, ...rest])).toEqual({ code: 1, whole: false, kinds: ['missing'] });
    expect(await verified([a, c, b, ...rest])).toEqual({ code: 1, whole: false, kinds: ['reordered'] });
    expect(await verified([a, b, b, c, ...rest])).toEqual({ code: 1, whole: false, kinds: ['doubled'] });
    const other = await forged([a, c, ...rest]);
    await other.withWorkspace(async ({ log }) => {
      await log.append(TOPICS.audit, [{ key: '10', value: Buffer.from('no record'), timestamp: now }]);
    });
    const { code, stdout, stderr } = await other.run('audit verify', given);
    expect(code).toBe(1);
    expect(stdout).toContain('altered    a record cannot be read');
    expect(stdout).toContain('missing    record 1: gone');
    expect(stderr).toContain('2 findings');
    await other.remove();
  });

  it('does not mind what has left by its age', async () => {
    await worked();
    now += 4_000 * 86_400_000;
    await done('consent enrol --subject late');
    await bench.withWorkspace(({ log }) => log.clean(now));
    expect(await done('audit verify')).toContain('begins with record 10, older ones have left by their age');
  });
});

describe('audit anchor', () => {
  const anchors = (): Promise<string> => readFile(join(bench.dir, ANCHORS), 'utf8');

  it('keeps the end in a private file, each end once', async () => {
    const empty = await bench.run(`audit anchor --new --file ${ANCHORS}`, given);
    expect(empty).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing to anchor yet') as string });
    const records = await worked();
    await done(`audit anchor --new --file ${ANCHORS}`);
    expect(await done(`audit anchor --file ${ANCHORS}`)).toContain('was anchored already');
    await done('keys list');
    await done(`audit anchor --file ${ANCHORS}`);
    const { sequence, hash, at } = records.at(-1) ?? appendTo(null, ENTRY);
    const lines = (await anchors()).trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[0] ?? '')).toEqual({ sequence, hash, at });
    expect((await stat(join(bench.dir, ANCHORS))).mode & 0o777).toBe(0o600);
    expect(await done(`audit verify --anchor ${ANCHORS}`)).toContain('anchors: 2 of 2 fit');
  });

  it('tells of a cut end and of a chain that was written anew', async () => {
    const records = await worked();
    await done(`audit anchor --new --file ${ANCHORS}`);
    const kept = await anchors();
    expect(await verified(records.slice(0, 7))).toEqual(WHOLE);
    expect(await verified(records.slice(0, 7), kept)).toEqual({ code: 1, whole: false, kinds: ['missing'] });
    expect(await verified([], kept)).toEqual({ code: 1, whole: false, kinds: ['missing'] });
    const anew: AuditRecord[] = [];
    for (const record of records) anew.push(appendTo(anew.at(-1) ?? null, { ...record, who: 'nobody' }));
    expect(await verified(anew)).toEqual(WHOLE);
    expect(await verified(anew, kept)).toEqual({ code: 1, whole: false, kinds: ['rewritten'] });
  });

  it('is not made of a chain that is not whole, nor of one that does not fit the anchors there', async () => {
    const records = await worked();
    await done(`audit anchor --new --file ${ANCHORS}`);
    const kept = await anchors();
    for (const left of [records.filter((_, i) => i !== 3), records.slice(0, 7)]) {
      const other = await forged(left);
      await writeFile(join(other.dir, ANCHORS), kept);
      const { code, stderr } = await other.run(`audit anchor --file ${ANCHORS}`, given);
      expect(code).toBe(1);
      expect(stderr).toContain('not as it was written: 1 finding');
      expect(await readFile(join(other.dir, ANCHORS), 'utf8')).toBe(kept);
      await other.remove();
    }
  });

  it('takes a file without anchors for one that has lost them, and begins one only when it is told to', async () => {
    await worked();
    const file = join(bench.dir, ANCHORS);
    const refused = async (args: string, message: string): Promise<void> => {
      const { code, stdout, stderr } = await bench.run(args, given);
      expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: '' });
      expect(stderr).toContain(message);
    };
    await refused(`audit anchor --file ${ANCHORS}`, 'cannot be read (ENOENT)');
    for (const lost of ['', '\n']) {
      await writeFile(file, lost);
      await refused(`audit anchor --file ${ANCHORS}`, 'holds no anchors');
      await refused(`audit verify --anchor ${ANCHORS}`, 'holds no anchors');
    }
    // It may be another's, who lets it grow only: its mode stays.
    await writeFile(file, '');
    await chmod(file, 0o640);
    await done(`audit anchor --new --file ${ANCHORS}`);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    await refused(`audit anchor --new --file ${ANCHORS}`, 'holds anchors already');
    expect(await bench.json(`audit verify --anchor ${ANCHORS}`, given)).toMatchObject({ anchors: 1, anchored: 1 });
  });

  it('names the line that is no anchor, and a file that is not there', async () => {
    await writeFile(join(bench.dir, ANCHORS), `{"sequence":0,"hash":"${'0'.repeat(64)}","at":0}\n{"sequence":1,"ha`);
    for (const command of ['verify --anchor', 'anchor --file']) {
      const { code, stderr } = await bench.run(`audit ${command} ${ANCHORS}`, given);
      expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(`${ANCHORS}:2 is no anchor`) });
    }
    expect((await bench.run('audit verify --anchor gone.jsonl', given)).stderr).toContain('cannot be read (ENOENT)');
    await done('keys list');
    expect((await bench.run('audit anchor --new --file no/such/folder', given)).stderr).toContain('cannot be written');
  });
});
