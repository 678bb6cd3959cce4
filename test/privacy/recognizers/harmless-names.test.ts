import { describe, expect, it } from 'vitest';
import { recognize } from '../../../src/privacy/recognizers/index.ts';

/** What is called as people are, and beside it people of that name or that form, who must be found. */
const PAIRS: readonly { readonly rule: string; readonly kept: readonly string[]; readonly found: readonly string[] }[] =
  [
    {
      rule: 'brands, works and characters',
      kept: [
        'Michael Kors',
        'Fannie Mae',
        'Mario Kart 8 Deluxe',
        'Tom Clancy’s Rainbow Six Siege',
        'Renault Clio',
        'Alice Blue',
        'Hey Siri',
        'Hello, Dolly!',
      ],
      found: ['Michael Korsak', 'Chat with Peter Pan', 'Mario Rossi', 'Tom Kovac', 'Hi Dolly', 'Hi Siri', 'Paul Smith'],
    },
    {
      rule: 'shops in the possessive, laws and effects, cities and islands',
      kept: ['Wendy’s', 'Denny’s', 'Murphy’s law', 'Jefferson City', 'Marshall Islands', 'Wilson loop'],
      found: ['Wendy’s laptop', 'At Denny’s place', 'Murphy’s desk', 'Katarina from Zagreb', 'Denny is typing', 'Levi'],
    },
    {
      rule: 'a given name that a program or place has too, and nothing else',
      kept: [
        'Sandra',
        'Rufus 4.4',
        'Hugo 0.125.0',
        'Built with Hugo',
        'Trains from Milan to Florence',
        'Louis XIV',
        'Apache Felix',
      ],
      found: [
        'Hi Sandra',
        'Lunch Sandra',
        'Hugo Kovač',
        'Call from Milan',
        'by Milan',
        'Message from Hugo',
        'Katarina',
        'by Hugo',
      ],
    },
    {
      rule: 'countries, regions and towns of several words',
      kept: [
        'Costa Rica',
        'Sierra Leone',
        'Reino Unido',
        'Castilla y León',
        'Trinidad and Tobago',
        'Mato Grosso do Sul',
      ],
      found: ['Diego Garcia', 'Ana Costa Rica', 'Don Carlos Pérez', 'Chat with Leone Sierra', 'Hồng Hà'],
    },
    {
      rule: 'months and weekdays',
      kept: [
        'Samstag, 13. Juli 2024',
        'Juli {n}',
        'Março de 2024',
        'Jan Feb Mar Apr May Jun',
        'Mo Di Mi Do Fr Sa So',
        'Pzt Sal Çar Per Cum Cmt Paz',
        'Från: Support',
      ],
      found: ['Marco Rossi', 'Hi Juli', 'Juli Kovač 2024', 'Notes Marta 2024', 'Fran is typing'],
    },
    {
      rule: 'the spelling alphabet',
      kept: ['Mike Oscar', 'Alpha Bravo Charlie'],
      found: ['Oscar Kovač', 'Mike Kovač'],
    },
    {
      rule: 'institutions and streets that are called after people of the past',
      kept: [
        'Heinrich Heine Universität',
        'Johannes Gutenberg-Universität',
        'Place Victor Hugo',
        'Plac Jana Pawła II',
        'جامعة الملك سعود',
        'אוניברסיטת בן גוריון',
      ],
      found: ['Heinrich Heine', 'Universität: Ana Kovač', 'Ana Kovač, Universität Wien', 'Maria Arena'],
    },
    {
      rule: 'greetings of all and of nobody',
      kept: [
        'Sehr geehrter Kunde',
        'Author: Unknown',
        'عزيزي العميل',
        'مرحبا بالعالم',
        'שלום עולם',
        'שלום לכולם',
        'प्रिय ग्राहक',
        'Hello Kubernetes',
      ],
      found: ['Sehr geehrter Herr Kundera', 'Author: Ana', 'عزيزي محمد', 'שלום דוד', 'प्रिय राहुल'],
    },
    {
      rule: 'what follows a label and goes on in words',
      kept: [
        'Driver: Realtek High Definition Audio',
        'Customer: Adventure Works',
        'Author: Penguin Random House',
        'Logitech MX Master 3S',
      ],
      found: ['Driver: Xyzqva Quillfeather', 'Customer: Ana Kovač Zagreb', 'MR Page', 'DR Smith', 'Mx Page'],
    },
    {
      rule: 'words of other languages that are names in some',
      kept: [
        'Inga ändringar',
        'Koko: 12 kt',
        'Jos N on annettu',
        'barra delle informazioni',
        'filen borde vara tom',
        'Die Komponente hat Vorrang',
      ],
      found: ['Inga Kovač', 'Hej Inga', 'Jos Kovač'],
    },
    {
      rule: 'prefectures and towns, alone',
      kept: ['福岡', '石川'],
      found: ['石川さん', '石川 健太', '高橋'],
    },
  ];

describe('names that are nobody’s', () => {
  it.each(PAIRS)('$rule', ({ kept, found }) => {
    expect(kept.filter((text) => recognize(text).length > 0)).toEqual([]);
    expect(found.filter((text) => recognize(text).length === 0)).toEqual([]);
  });
});
