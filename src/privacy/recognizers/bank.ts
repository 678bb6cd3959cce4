import validator from 'validator';
import { contextOf } from './context.ts';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/** Bank identifier codes (ISO 9362) beside a word that says so; UK sort codes with the account number behind them. */
export const recognizer: Recognizer = { kinds: ['bank_account'], find };

const BIC_WORDS = contextOf(['bic', 'swift', 'swift code', 'swift bic', 'bic swift', 'Bankleitzahl', 'IBAN', 'bank']);

function find(view: TextView): Span[] {
  return [...codes(view), ...sortCodes(view)];
}

function codes(view: TextView): Span[] {
  return [...view.text.matchAll(BIC)].flatMap(({ 0: code, index }) => {
    const end = index + code.length;
    const isNamed = validator.isBIC(code) && view.near(BIC_WORDS, index, end, { before: 40, after: 20 });
    return isNamed ? [{ start: index, end, kind: 'bank_account', score: 0.6, checked: 'bic+context' } as const] : [];
  });
}

const BIC = /(?<![\p{L}\p{N}])[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?(?![\p{L}\p{N}])/gu;

function sortCodes({ text }: TextView): Span[] {
  return [...text.matchAll(SORT_CODE)].map(({ 0: all, index }) => ({
    start: index,
    end: index + all.length,
    kind: 'bank_account',
    score: 0.6,
    checked: 'sort_code+account',
  }));
}

const SORT_CODE = /(?<![\p{L}\p{N}.-])\d{2}-\d{2}-\d{2}[ ,/:]{1,3}\d{8}(?![\p{L}\p{N}-])/gu;
