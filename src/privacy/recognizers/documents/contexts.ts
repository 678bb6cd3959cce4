/** What announces a document: the words of its kind, and those of the one document. */
import { contextOf, type Context } from '../context.ts';
import {
  BANK_WORDS,
  COMPANY_WORDS,
  HEALTH_WORDS,
  ID_WORDS,
  LICENCE_WORDS,
  PASSPORT_WORDS,
  PROFESSION_WORDS,
  SOCIAL_WORDS,
  TAX_WORDS,
} from './words.ts';

type ContextWith = (...words: readonly string[]) => Context;

export const id: ContextWith = (...words) => contextOf(ID_WORDS, SOCIAL_WORDS, words);
export const tax: ContextWith = (...words) => contextOf(TAX_WORDS, words);
export const company: ContextWith = (...words) => contextOf(COMPANY_WORDS, TAX_WORDS, words);
export const health: ContextWith = (...words) => contextOf(HEALTH_WORDS, words);
export const profession: ContextWith = (...words) => contextOf(PROFESSION_WORDS, words);
export const bank: ContextWith = (...words) => contextOf(BANK_WORDS, words);
export const passport: ContextWith = (...words) => contextOf(PASSPORT_WORDS, words);
export const licence: ContextWith = (...words) => contextOf(LICENCE_WORDS, words);
