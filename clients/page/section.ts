import type { Api } from './api.ts';
import type { Formats } from './formats.ts';
import type { Words } from './words/index.ts';

/** How the page speaks right now. */
export interface Speech {
  readonly words: Words;
  readonly formats: Formats;
}

export interface SectionTools {
  readonly api: Api;
  readonly speech: () => Speech;
}

/** A part of the page that knows what it shows. */
export interface Section {
  /** Shows what it knows, in the language of now. */
  render(): void;
  /** Forgets all that it knows of the person. */
  clear(): void;
}

/** Does one thing at a time for a button, however often it is pressed. */
export function whilePressed(button: HTMLButtonElement, work: () => Promise<void>): () => Promise<void> {
  let isWorking = false;
  return async () => {
    if (isWorking) return;
    isWorking = true;
    // Not `disabled`: that would take the focus away.
    button.ariaDisabled = 'true';
    try {
      await work();
    } finally {
      isWorking = false;
      button.ariaDisabled = null;
    }
  };
}

/** Tells what is wrong with a field, or with '' that nothing is. */
export function complain(field: HTMLElement, note: HTMLElement, text: string): void {
  note.textContent = text;
  field.ariaInvalid = text === '' ? null : 'true';
  if (text !== '') field.focus();
}
