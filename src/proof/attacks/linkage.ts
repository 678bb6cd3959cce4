import { Random } from '../../producers/simulator/random.ts';
import type { Attack, AttackContext, Form, ReleasedForms } from '../attack.ts';
import type { OfficeWorker, SessionView } from '../data/office.ts';
import { identify, measuresOf, shuffleIdentities, trialOf } from '../models/identify.ts';
import type { Subject } from '../models/model.ts';
import { vectorsOf } from '../models/released-features.ts';
import { meanMeasures, roundsOf } from './identification.ts';

const SHUFFLES = 3;

/**
 * Sessions of one person, linked by what they do: which apps, in which order, how much. The people are made up, each with
 * a platform, a language and a leaning towards some activities; real people may be more alike, or less.
 */
export const linkage: Attack = {
  name: 'linkage',
  asks: 'Are two sessions of one person linked by what is done in them?',
  source: 'Padmanabhan & Yang 2007 on clickprints; made-up people',
  targets: [],
  headline: 'top-1',
  floor: 0.5,
  async run(context) {
    const office = (await context.office()).filter(({ sessions }) => sessions.length >= 2);
    const rounds = roundsOf(context);
    const run = (people: readonly Subject[], word: string) =>
      identify(people, { random: new Random(context.seed, 'linkage', word), rounds });
    await context.tell('linkage: raw data');
    const raw = subjectsOf(office, ({ raw }) => raw);
    const random = new Random(context.seed, 'linkage', 'shuffle');
    const shuffles = Array.from({ length: SHUFFLES }, () =>
      identify(shuffleIdentities(raw, random), { random, rounds: Math.ceil(rounds / 2) }),
    );
    const released: ReleasedForms[] = [];
    for (const [i, { name, policy }] of context.policies.entries()) {
      await context.tell(`linkage: ${name}`);
      const view = ({ released }: OfficeWorker['sessions'][number]): SessionView | undefined => released[i];
      const byBehaviour: Form = { name: 'table', measures: run(subjectsOf(office, view), 'released') };
      if (policy.columns.subject === 'none') {
        released.push({ policy: name, forms: [byBehaviour] });
        continue;
      }
      const aside: Form = { ...byBehaviour, name: 'table, without subject', isAside: true };
      released.push({ policy: name, forms: [byColumn(office, i, context), aside] });
    }
    return {
      raw: [{ name: 'raw', measures: run(raw, 'raw') }],
      control: { name: 'shuffled', measures: meanMeasures(shuffles) },
      released,
    };
  },
};

/** Whose a person's last session is, is asked; of the others it is known. */
function subjectsOf(
  office: readonly OfficeWorker[],
  view: (session: OfficeWorker['sessions'][number]) => SessionView | undefined,
): Subject[] {
  const bags = office.map(({ sessions }) => sessions.map((session) => view(session)?.bag ?? new Map<string, number>()));
  const vectors = vectorsOf(bags.flat()).values();
  return bags.map((own) => {
    const all = own.map(() => vectors.next().value ?? new Float64Array(0));
    return { enrol: all.slice(0, -1), probe: all.slice(-1) };
  });
}

/** Where the policy releases a pseudonym of the person, there is nothing to guess. */
function byColumn(office: readonly OfficeWorker[], policy: number, context: AttackContext): Form {
  const subjectOf = (session: OfficeWorker['sessions'][number] | undefined): string | null =>
    session?.released[policy]?.subject ?? null;
  const scores = office.map(({ sessions }) =>
    Float64Array.from(office, (other) => {
      const [asked, known] = [subjectOf(sessions.at(-1)), subjectOf(other.sessions[0])];
      return asked !== null && asked === known ? 1 : 0;
    }),
  );
  const options = { random: new Random(context.seed, 'linkage', 'column'), rounds: roundsOf(context) };
  return { name: 'table', measures: measuresOf([{ name: 'the subject column', trials: [trialOf(scores)] }], options) };
}
