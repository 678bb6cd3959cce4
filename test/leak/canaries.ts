/** A session with a text of its own in every place that can hold one, in every kind of event. */
import type { Captured } from '../../src/producers/captured.ts';
import type { Context, RawEvent, UiElement } from '../../src/events/raw.ts';
import { Random } from '../../src/producers/simulator/random.ts';

export interface Canaries {
  readonly captured: Captured;
  readonly texts: readonly string[];
}

export function canarySession(seed: number, at: number, subjectKey: (subject: string) => string): Canaries {
  const random = new Random(seed, 'canaries');
  const texts: string[] = [];
  const canary = (): string => {
    const text = random.text('bcdfghjklmnpqrstvwxz', 14);
    texts.push(text);
    return text;
  };
  const context = (app: string, url: string): Context => ({
    app,
    title: `Inbox - ${canary()} - ${canary()}.docx - Microsoft Word`,
    url,
    private: false,
  });
  const contexts = [
    context('Microsoft Word', ''),
    context(
      canary(),
      `https://${canary()}:${canary()}@mail.google.com/${canary()}/${canary()}?q=${canary()}#${canary()}`,
    ),
    context('Google Chrome', `https://${canary()}.example.com/mail/${canary()}`),
    context('Google Chrome', `mailto:${canary()}@${canary()}.example`),
    context('Google Chrome', canary()),
    { ...context('Google Chrome', `https://${canary()}.example/`), private: true },
  ];
  const element = (role: string, secure: boolean): UiElement => ({
    role,
    name: `Save | ${canary()}`,
    value: canary(),
    secure,
    bounds: { x: 0, y: 0, width: 90, height: 90 },
  });
  const elements = [
    element('button', false),
    element('textbox', false),
    element('textbox', true),
    element(canary(), false),
  ];
  const events: RawEvent[] = [];
  let time = at;
  for (const [c] of contexts.entries()) {
    for (const [e] of elements.entries()) {
      const place = (): { at: number; context: number; element: number } => ({
        at: (time += 20),
        context: c,
        element: e,
      });
      events.push(
        { kind: 'focus', ...place() },
        { kind: 'navigate', ...place() },
        { kind: 'pointer_down', x: 5, y: 5, button: 'left', ...place() },
        { kind: 'pointer_up', x: 5, y: 5, button: 'left', ...place() },
        { kind: 'wheel', dx: 0, dy: 3, ...place() },
        { kind: 'key_down', key: 'Control', code: 'ControlLeft', ...place() },
        { kind: 'key_down', key: canary(), code: canary(), ...place() },
        { kind: 'key_up', key: 'Control', code: 'ControlLeft', ...place() },
        ...Array.from(canary()).map((key): RawEvent => ({ kind: 'key_down', key, code: '', ...place() })),
        { kind: 'composition', text: canary(), ...place() },
        { kind: 'clipboard', op: 'copy', text: canary(), ...place() },
        { kind: 'clipboard', op: 'paste', text: canary(), ...place() },
        { kind: 'value_change', value: canary(), ...place() },
        { kind: 'key_down', key: 'Enter', code: 'Enter', ...place() },
      );
    }
  }
  events.push({ kind: 'session_end', at: time + 20, context: 0, element: -1 });
  const subject = canary();
  const envelope = { session: canary(), sequence: 0, grantedAt: at, receivedAt: time + 100 };
  const payload = { subject, device: canary(), contexts, elements, events };
  return { captured: { key: subjectKey(subject), envelope, payload }, texts };
}
