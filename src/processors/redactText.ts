import { keep, type Processor } from '../events/outcome.ts';
import type { Context, UiElement } from '../events/raw.ts';
import { memoised } from '../privacy/bounded-cache.ts';
import type { EchoMemory } from '../privacy/echoes.ts';
import type { FreeText, FreeTexts } from '../privacy/free-text.ts';
import type { Policy } from '../privacy/policy.ts';
import { MAX_TEXT, showUrl, type Part, type PublicText } from '../privacy/public-text.ts';
import type { Range } from '../privacy/typed-letters.ts';
import type { Vocabulary } from '../privacy/vocabulary.ts';
import type { ActionBatch, RawAction, TextAction, TextBatch } from './stages.ts';

/** What texts are judged with. */
export interface TextTools {
  readonly policy: Policy['columns'];
  readonly publicText: PublicText;
  readonly freeTexts: FreeTexts;
  readonly vocabulary: Pick<Vocabulary, 'findRole'>;
  readonly echoes: Pick<EchoMemory, 'has' | 'echoesIn'>;
}

type Texts = Pick<TextAction, 'app' | 'window' | 'url' | 'target'>;

/**
 * Keeps of every text only what the policy's columns say: `vocabulary`, segments that the vocabulary holds, in its own
 * spelling; `recognizers`, all but what recognisers find, numbers and addresses; placeholders for the rest, and for what this
 * session typed. Clipboard and element values do not exist any more at this point.
 *
 * `isComplete` tells whether every batch of the session so far has been seen. If not, what was typed is not known, so no
 * text is kept at all.
 */
export function redactText(
  tools: TextTools & { readonly isComplete: () => boolean },
): Processor<ActionBatch, TextBatch> {
  const { policy, vocabulary } = tools;

  function redact(action: RawAction, complete: boolean, redactTexts: TextRedactor): TextAction {
    const { context, element, echoes, ...rest } = action;
    return {
      ...rest,
      ...(complete ? redactTexts(context, element, echoes) : NO_TEXTS),
      target_role:
        element !== null && policy.target_role === 'known' ? (vocabulary.findRole(element.role)?.text ?? null) : null,
      bounds: element?.bounds ?? null,
    };
  }

  return (batch) => {
    const complete = tools.isComplete();
    const redactTexts = createTextRedactor(tools);
    return keep({ ...batch, actions: batch.actions.map((action) => redact(action, complete, redactTexts)) });
  };
}

const NO_TEXTS: Texts = { app: null, window: null, url: null, target: null };

/** Redacts the texts of one place; `known` is the size of the echo memory when they were shown. */
export type TextRedactor = (context: Context | null, element: UiElement | null, known: number) => Texts;

/** For one batch: what is found out about a text is kept, for thousands of events can point at it. */
export function createTextRedactor(tools: TextTools): TextRedactor {
  const { policy, publicText, freeTexts, echoes } = tools;
  const partsOf = memoised((text) => publicText.parts(text));
  const appOf = memoised((name) => publicText.app(name));
  const urlOf = memoised((url) => publicText.url(url));
  const keepFree = memoised((text) => freeTexts.keep(text));
  /** What was last made of each free text. */
  const shown = new Map<string, { readonly known: number; readonly text: string | null }>();

  function show(part: Part, known: number): string {
    if ('placeholder' in part) return part.placeholder;
    return echoes.has(part.entry.id, known) ? '{typed}' : part.entry.text;
  }
  function showParts(parts: readonly Part[], known: number): string | null {
    if (parts.length === 0) return null;
    const text = parts.map((part) => show(part, known)).join(' - ');
    return text.length > MAX_TEXT ? '{text}' : text;
  }
  function showFree(raw: string, known: number): string | null {
    if (raw.length > MAX_TEXT) return '{text}';
    const last = shown.get(raw);
    if (last?.known === known) return last.text;
    const text = cutFree(raw, known);
    shown.set(raw, { known, text });
    return text;
  }
  function cutFree(raw: string, known: number): string | null {
    const kept = keepFree(raw);
    const typed = echoes.echoesIn(kept, known);
    if (kept.text === '' || typed === null) return null;
    return isTorn(raw, kept, typed, known) ? '{typed}' : freeTexts.cut(kept.text, typed);
  }
  /**
   * Whether a part of an echo was taken out as something else: nothing in what is left says any more that the rest is one.
   * Every echo beside what was taken out must be among those that are cut, as often as it is there.
   */
  function isTorn(raw: string, { text, cuts }: FreeText, typed: readonly Range[], known: number): boolean {
    if (cuts === null) return false;
    const before = echoes.echoesIn(cuts, known);
    if (before === null) return true;
    const left = typed.map(({ start, end }) => text.slice(start, end));
    return before.some(({ start, end }) => {
      if (cuts.at.some((taken) => start >= taken.start && end <= taken.end)) return false;
      const found = left.indexOf(raw.slice(start, end));
      if (found !== -1) left.splice(found, 1);
      return found === -1;
    });
  }
  function showText(rule: TextRule, text: string, known: number): string | null {
    switch (rule) {
      case 'none':
        return null;
      case 'vocabulary':
        return showParts(partsOf(text), known);
      case 'recognizers':
        return showFree(text, known);
    }
  }
  function showApp(rule: TextRule, name: string, known: number): string | null {
    if (rule !== 'vocabulary') return showText(rule, name, known);
    const app = appOf(name);
    return app === null ? null : show(app, known);
  }
  function showAddress(address: string, known: number): string | null {
    const url = policy.url === 'vocabulary' ? urlOf(address) : null;
    const text = url === null ? null : showUrl(url, (part) => show(part, known));
    return text === null || text.length > MAX_TEXT ? null : text;
  }

  return (context, element, known) => ({
    app: context === null ? null : showApp(policy.app, context.app, known),
    window: context === null ? null : showText(policy.window, context.title, known),
    url: context === null ? null : showAddress(context.url, known),
    // What a secure field is called can be what was typed into it, and its role says enough.
    target: element === null || element.secure ? null : showText(policy.target, element.name, known),
  });
}

type TextRule = Policy['columns']['window'];
