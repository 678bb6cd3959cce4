import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { TEXT_FIELDS, TEXT_REASONS } from '../../src/processors/judgeText.ts';
import { createBench, type Bench } from './harness.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
});
afterEach(() => bench.remove());

interface Answer {
  readonly id: string | number;
  readonly field: string;
  readonly text: string | null;
  readonly kinds?: readonly string[];
  readonly spans?: readonly { start: number; end: number; kind: string; score: number; checked: string }[];
  readonly reasons?: readonly string[];
}

const lines = (samples: readonly object[]): string => samples.map((sample) => `${JSON.stringify(sample)}\n`).join('');

async function answers(samples: readonly object[], options: string): Promise<Answer[]> {
  const { code, stdout, stderr } = await bench.run(`text ${options}`, { stdin: [lines(samples)] });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
}
const texts = async (samples: readonly object[], options: string) =>
  (await answers(samples, options)).map(({ text }) => text);

const SAMPLES = [
  { id: 'a', field: 'window', text: 'Letter 7 to ann.lee@corp.example - Save as' },
  { id: 2, field: 'target', text: 'Send to Ann' },
  { id: 3, field: 'app', text: 'winword' },
  { id: 4, field: 'url', text: 'https://ann@docs.google.com/ann/edit?q=ann' },
  { id: 5, field: 'value', text: 'Save' },
  { id: 6, field: 'clipboard', text: 'Save' },
  { id: 7, field: 'window', text: '' },
];
const CLOSED = [null, null, null];

describe('text', () => {
  it('says of each text what a recording would release', async () => {
    const [first] = await answers(SAMPLES, '--policy strict');
    expect(first).toEqual({ id: 'a', field: 'window', text: '{email} - Save as' });
    const reviewed = [
      '{email} - Save as',
      '{person}',
      'Microsoft Word',
      'https://docs.google.com/{part}/edit',
      ...CLOSED,
    ];
    expect(await texts(SAMPLES, '--policy strict')).toEqual(reviewed);
    expect(await texts(SAMPLES, '--policy balanced')).toEqual(reviewed);
    expect(await texts(SAMPLES, '--policy recognizers')).toEqual([
      'Letter {n} to {email} - Save as',
      'Send to {person}',
      'winword',
      'https://docs.google.com/{part}/edit',
      ...CLOSED,
    ]);
  });

  it('works under the configured policy, a policy file, and on a file of samples', async () => {
    const file = join(bench.dir, 'samples.jsonl');
    await writeFile(file, lines(SAMPLES.slice(1, 2)));
    expect((await bench.run('text samples.jsonl')).stdout).toBe('{"id":2,"field":"target","text":"{person}"}\n');
    for (const name of ['recognizers.yaml', 'vocabulary.txt']) {
      await writeFile(join(bench.dir, name), await readFile(join('policies', name)));
    }
    const policy = await readFile(join(bench.dir, 'recognizers.yaml'), 'utf8');
    await writeFile(join(bench.dir, 'mine.yaml'), policy.replace('target: recognizers', 'target: none'));
    expect(await texts(SAMPLES.slice(0, 2), '--policy mine.yaml')).toEqual(['Letter {n} to {email} - Save as', null]);
  });

  it('explains what was found, in code points, and why', async () => {
    const [mail] = await answers(
      [{ id: 1, field: 'target', text: '😀 7 ann.lee@corp.com' }],
      '--policy recognizers --explain',
    );
    expect(mail).toEqual({
      id: 1,
      field: 'target',
      text: '😀 {n} {email}',
      kinds: ['email'],
      spans: [{ start: 4, end: 20, kind: 'email', score: 0.95, checked: 'domain' }],
      reasons: ['recognized', 'digits'],
    });
  });

  it.each<[string, object, string, readonly string[]]>([
    [
      'strict',
      { field: 'window', text: 'Ann - Page 3 of 7' },
      '{text} - Page {n} of {n}',
      ['not_in_vocabulary', 'digits'],
    ],
    [
      'strict',
      { field: 'window', text: `${'Ann - '.repeat(9)}Ann` },
      `${'{text} - '.repeat(6)}{more}`,
      ['not_in_vocabulary', 'too_many_parts'],
    ],
    ['strict', { field: 'target', text: 'Ann'.repeat(500) }, '{text}', ['too_long']],
    ['recognizers', { field: 'target', text: 'Ann'.repeat(500) }, '{text}', ['too_long']],
    [
      'recognizers',
      { field: 'target', text: 'a\u200Bb www.corp.example/ann' },
      'ab https://{host}/{part}',
      ['address', 'invisible'],
    ],
    ['recognizers', { field: 'target', text: 'Save' }, 'Save', []],
    ['strict', { field: 'url', text: 'file:///home/ann' }, null as never, ['not_an_address']],
    ['strict', { field: 'url', text: 'Save' }, null as never, ['not_an_address']],
    ['strict', { field: 'value', text: 'Save' }, null as never, ['never_released']],
    ['recognizers', { field: 'clipboard', text: 'Save' }, null as never, ['never_released']],
    ['recognizers', { field: 'target', text: 'Save', context: { app: 'Slack' } }, null as never, ['excluded_context']],
  ])('under %s %j', async (policy, sample, text, reasons) => {
    const [answer] = await answers([{ id: 0, ...sample }], `--policy ${policy} --explain`);
    expect(answer).toMatchObject({ text, reasons });
  });

  it.each([
    { app: 'KeePassXC' },
    { title: 'Payslip May' },
    { url: 'https://www.paypal.com/x' },
    { url: 'chrome-extension://ann' },
    { private: true },
    { app: 'Word', title: 'Home', url: 'https://my.1password.com', private: false },
  ])('releases nothing from a place that the policy excludes: %j', async (context) => {
    const samples = TEXT_FIELDS.map((field) => ({ id: field, field, text: 'Save', context }));
    expect(await texts(samples, '--policy recognizers')).toEqual(TEXT_FIELDS.map(() => null));
  });

  it('takes a title, an app and an address for a part of their place, and contexts with and without all parts', async () => {
    const samples = [
      { id: 1, field: 'window', text: 'Payslip May' },
      { id: 2, field: 'app', text: 'Slack' },
      { id: 3, field: 'url', text: 'https://www.paypal.com/x' },
      { id: 4, field: 'target', text: 'Payslip', context: null },
      { id: 5, field: 'target', text: 'Payslip', context: { app: 'Word', private: false } },
    ];
    expect(await texts(samples, '--policy recognizers')).toEqual([null, null, null, 'Payslip', 'Payslip']);
  });
});

describe('a line that is not right ends the command with 1, names line and key, and shows nothing of it', () => {
  const GOOD = '{"id":1,"field":"target","text":"Save"}\n';
  const SECRET = 'Zebulon';
  it.each<[string, string]>([
    ['{', 'stdin:3: is not valid JSON'],
    ['[]', 'stdin:3: is not a JSON object'],
    ['"Zebulon"', 'stdin:3: is not a JSON object'],
    [
      '{"id":1,"field":"Zebulon","text":""}',
      'stdin:3: field must be one of window, target, app, url, value, clipboard',
    ],
    ['{"id":1,"field":"toString","text":""}', 'stdin:3: field must be one of'],
    ['{"id":1,"text":"Zebulon"}', 'stdin:3: field must be one of'],
    ['{"id":1,"field":"app"}', 'stdin:3: text must be text; it is missing'],
    ['{"id":1,"field":"app","text":7}', 'stdin:3: text must be text'],
    ['{"field":"app","text":"Zebulon"}', 'stdin:3: id must be a text'],
    ['{"id":{},"field":"app","text":"Zebulon"}', 'stdin:3: id must be a text'],
    [`{"id":"${'x'.repeat(1_025)}","field":"app","text":""}`, 'stdin:3: id must be a text of at most 1024'],
    ['{"id":1,"field":"app","text":"","Zebulon":1}', 'stdin:3: has an unknown key; known: id, field, text, context'],
    ['{"id":1,"field":"app","text":"","context":{"Zebulon":1}}', 'stdin:3: has an unknown key of context; known: app'],
    ['{"id":1,"field":"app","text":"","context":"Zebulon"}', 'stdin:3: context must be an object'],
    ['{"id":1,"field":"app","text":"","context":{"private":"Zebulon"}}', 'stdin:3: private must be true or false'],
    ['{"id":1,"field":"app","text":"","context":{"url":7}}', 'stdin:3: url must be text'],
    [`{"id":1,"field":"app","text":"${'x'.repeat(1_048_576)}"}`, 'stdin:3: is longer than 1048576 bytes'],
  ])('%.60s', async (line, message) => {
    const ran = await bench.run('text --policy recognizers', { stdin: [`${GOOD}\n${line}\n${GOOD}`] });
    expect(ran).toMatchObject({ code: 1, stdout: GOOD });
    expect(ran.stderr).toContain(`redactory: ${message}`);
    expect(ran.stderr).not.toContain(SECRET);
  });

  it('bytes that are no UTF-8', async () => {
    const stdin = [GOOD, Uint8Array.of(0x22, 0xff, 0x22, 0x0a), GOOD];
    const ran = await bench.run('text', { stdin });
    expect(ran).toMatchObject({ code: 1, stdout: GOOD });
    expect(ran.stderr).toContain('stdin:2: is not UTF-8');
  });

  it('a file that is not there, and a folder', async () => {
    const gone = await bench.run('text gone.jsonl');
    expect(gone).toMatchObject({ code: 1, stdout: '' });
    expect(gone.stderr).toContain('gone.jsonl: cannot be read (ENOENT)');
    expect((await bench.run('text .')).stderr).toContain('cannot be read (EISDIR)');
  });
});

describe('a stream', () => {
  it('gives the same answers however it is cut', async () => {
    const input = Buffer.from(lines([...SAMPLES, { id: 'ü', field: 'target', text: 'Übersicht 会議 😀' }]).trimEnd());
    const whole = (await bench.run('text --policy recognizers', { stdin: [input] })).stdout;
    expect(whole.split('\n')).toHaveLength(SAMPLES.length + 2);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(input.length), { maxLength: 5 }), async (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), input.length];
        const stdin = at.slice(1).map((to, i) => input.subarray(at[i], to));
        expect((await bench.run('text --policy recognizers', { stdin })).stdout).toBe(whole);
      }),
      { numRuns: 3 },
    );
  });

  it('answers each piece before it asks for the next, and waits for a slow reader', async () => {
    let asked = 0;
    let taken = 0;
    let most = 0;
    const block = lines(Array.from({ length: 500 }, (_, id) => ({ id, field: 'target', text: `Save ${id}` })));
    function* input(): Generator<string> {
      for (; asked < 40; asked++) {
        most = Math.max(most, asked * 500 - taken);
        yield block;
      }
    }
    const stdout = new Writable({
      highWaterMark: 1_024,
      write(chunk: Buffer, _encoding, done) {
        taken += chunk.toString().split('\n').length - 1;
        setImmediate(done);
      },
    });
    const code = await runProgram(['text', '--policy', 'strict'], {
      stdin: () => Readable.from(input(), { objectMode: false, highWaterMark: 1_024 }),
      stdout,
      stderr: stdout,
      env: {},
      cwd: bench.dir,
      now: () => 0,
    });
    expect({ code, taken }).toEqual({ code: 0, taken: 20_000 });
    // What streams hold on their own.
    expect(most).toBeLessThan(2_500);
  });

  it('may begin with a byte order mark', async () => {
    const { stdout } = await bench.run('text', { stdin: [`\uFEFF${lines(SAMPLES)}`] });
    expect(stdout.split('\n')).toHaveLength(SAMPLES.length + 1);
  });

  it('of nothing is nothing', async () => {
    expect(await bench.run('text')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('whatever texts come in, what goes out is what another run lets out, with reasons of the list', async () => {
    const sample = fc.record({
      id: fc.nat(),
      field: fc.constantFrom(...TEXT_FIELDS),
      text: fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.webUrl(), fc.emailAddress()),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(sample, { minLength: 50, maxLength: 100 }), async (samples) => {
        for (const policy of ['strict', 'recognizers']) {
          const explained = await answers(samples, `--policy ${policy} --explain`);
          expect(await texts(samples, `--policy ${policy}`)).toEqual(explained.map(({ text }) => text));
          const reasons = explained.flatMap((answer) => answer.reasons ?? []);
          expect(
            reasons.filter((reason) => reason === 'refused' || !TEXT_REASONS.some((one) => one === reason)),
          ).toEqual([]);
          // Under recognizers a text is the one that came in, or it is said why not.
          const unexplained = explained.filter(
            ({ text, reasons }, i) => (text ?? '') !== samples[i]?.text && reasons?.length === 0,
          );
          expect(unexplained.filter(({ field }) => policy === 'recognizers' && field !== 'url')).toEqual([]);
        }
      }),
      { numRuns: 2 },
    );
  });
});
