import { fakerDE, fakerEN, fakerES, fakerFR, fakerJA, fakerRU, fakerZH_CN } from '@faker-js/faker';
import { packagePath } from '../src/package-path.ts';
import { loadPolicy } from '../src/privacy/policy.ts';
import { createTextJudge, type TextSample } from '../src/processors/judgeText.ts';

/** What one text costs under a policy, each text another one so that no cache helps. */
export interface TextCost {
  readonly policy: string;
  readonly texts: number;
  readonly textsPerSecond: number;
  /** Milliseconds a text. */
  readonly elapsed: Spread;
  /** Milliseconds of processor time a text: the same on a machine that is busy with something else. */
  readonly worked: Spread;
}

interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const POLICIES = ['strict', 'balanced', 'recognizers'] as const;

/** Judges `texts` made-up titles and labels of seven languages, with and without something personal. */
export async function benchText(texts: number): Promise<TextCost[]> {
  const samples = makeSamples(texts);
  const costs: TextCost[] = [];
  for (const name of POLICIES) {
    const { policy, vocabulary } = await loadPolicy(packagePath(`policies/${name}.yaml`));
    // Once to warm up: what is measured is work, not compilation.
    judgeAll(createTextJudge(policy, vocabulary), samples);
    costs.push({ policy: name, ...judgeAll(createTextJudge(policy, vocabulary), samples) });
  }
  return costs;
}

function judgeAll(judge: ReturnType<typeof createTextJudge>, samples: readonly TextSample[]): Omit<TextCost, 'policy'> {
  const elapsed = new Float64Array(samples.length);
  const worked = new Float64Array(samples.length);
  const start = performance.now();
  for (const [i, sample] of samples.entries()) {
    const workedBefore = process.cpuUsage();
    const before = performance.now();
    judge.release(sample);
    elapsed[i] = performance.now() - before;
    const { user, system } = process.cpuUsage(workedBefore);
    worked[i] = (user + system) / 1000;
  }
  const textsPerSecond = (samples.length * 1000) / (performance.now() - start);
  return { texts: samples.length, textsPerSecond, elapsed: spreadOf(elapsed), worked: spreadOf(worked) };
}

function spreadOf(times: Float64Array): Spread {
  times.sort();
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function makeSamples(count: number): TextSample[] {
  const languages = [fakerDE, fakerEN, fakerES, fakerFR, fakerJA, fakerRU, fakerZH_CN];
  for (const faker of languages) faker.seed(7);
  const kinds: readonly ((faker: typeof fakerEN) => TextSample)[] = [
    (f) => ({ field: 'window', text: `${f.commerce.productName()}.docx - ${f.company.name()}` }),
    (f) => ({ field: 'window', text: `${f.person.fullName()} <${f.internet.email()}> - Inbox (${f.number.int(99)})` }),
    (f) => ({ field: 'target', text: `${f.word.words(6)} ${f.phone.number()}` }),
    (f) => ({ field: 'target', text: `Invoice ${f.finance.iban()} ${f.location.streetAddress()}` }),
    (f) => ({ field: 'window', text: `${f.internet.url()}/${f.lorem.slug()} - ${f.lorem.sentence()}` }),
    (f) => ({ field: 'url', text: `${f.internet.url()}/edit/${f.number.int(9999)}?q=${f.lorem.word()}` }),
    (f) => ({ field: 'target', text: f.lorem.paragraph().slice(0, 300) }),
  ];
  return Array.from({ length: count }, (_, i) => {
    const make = kinds[i % kinds.length] ?? kinds[0];
    const faker = languages[Math.floor(i / kinds.length) % languages.length] ?? fakerEN;
    if (make === undefined) throw new RangeError('there are no kinds of text');
    return make(faker);
  });
}
