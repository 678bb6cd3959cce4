import { keep, type Processor } from '../events/outcome.ts';
import type { EchoMemory } from '../privacy/echoes.ts';
import type { Policy } from '../privacy/policy.ts';
import type { Part, PublicText, UrlParts } from '../privacy/public-text.ts';
import type { Vocabulary } from '../privacy/vocabulary.ts';
import type { ActionBatch, RawAction, TextAction, TextBatch } from './stages.ts';

/**
 * Keeps of every text only what is public: segments that the vocabulary holds, in its own spelling, unless this session
 * typed them; placeholders for the rest. Clipboard and element values do not exist any more at this point.
 *
 * `isComplete` tells whether every batch of the session so far has been seen. If not, what was typed is not known, so no
 * free text is kept at all.
 */
export function redactText(tools: {
  readonly policy: Policy['columns'];
  readonly publicText: PublicText;
  readonly vocabulary: Pick<Vocabulary, 'findRole'>;
  readonly echoes: Pick<EchoMemory, 'has'>;
  readonly isComplete: () => boolean;
}): Processor<ActionBatch, TextBatch> {
  const { policy, publicText, vocabulary, echoes } = tools;

  function show(part: Part, known: number): string {
    if ('placeholder' in part) return part.placeholder;
    return echoes.has(part.entry.id, known) ? '{typed}' : part.entry.text;
  }
  function showText(text: string, known: number): string | null {
    const parts = publicText.parts(text);
    return parts.length === 0 ? null : parts.map((part) => show(part, known)).join(' - ');
  }
  function showUrl(url: UrlParts | null, known: number): string | null {
    if (url === null) return null;
    return `${url.scheme}://${show(url.host, known)}${url.path.map((part) => `/${show(part, known)}`).join('')}`;
  }
  function redact(action: RawAction, complete: boolean): TextAction {
    const { context, element, echoes: known, ...rest } = action;
    const mayKeep = (rule: 'vocabulary' | 'none') => complete && rule === 'vocabulary';
    const app = context !== null && mayKeep(policy.app) ? publicText.app(context.app) : null;
    return {
      ...rest,
      app: app === null ? null : show(app, known),
      window: context !== null && mayKeep(policy.window) ? showText(context.title, known) : null,
      url: context !== null && mayKeep(policy.url) ? showUrl(publicText.url(context.url), known) : null,
      target_role:
        element !== null && policy.target_role === 'known' ? (vocabulary.findRole(element.role)?.text ?? null) : null,
      // What a secure field is called can be what was typed into it, and its role says enough.
      target: element !== null && !element.secure && mayKeep(policy.target) ? showText(element.name, known) : null,
      bounds: element?.bounds ?? null,
    };
  }

  return (batch) => {
    const complete = tools.isComplete();
    return keep({ ...batch, actions: batch.actions.map((action) => redact(action, complete)) });
  };
}
