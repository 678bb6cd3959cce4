import { contextOf } from './context.ts';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/** Places on earth: pairs of decimal degrees, degrees with minutes and seconds, `geo:` URIs (RFC 5870), plus codes. */
export const recognizer: Recognizer = { kinds: ['coordinates'], find };

function find(view: TextView): Span[] {
  const { text } = view;
  const hasDecimals = /\d\.\d\d/u.test(text);
  return [...(hasDecimals ? [...pairs(view), ...named(view)] : []), ...shaped(view)];
}

const PLACE = contextOf([
  'lat',
  'latitude',
  'lon',
  'lng',
  'long',
  'longitude',
  'gps',
  'coord',
  'coords',
  'coordinate',
  'coordinates',
  'location',
  'position',
  'geo',
  'map',
  'maps',
  'Koordinaten',
  'Standort',
  'coordonnées',
  'position',
  'coordenadas',
  'ubicación',
  'coordinate',
  'posizione',
  'localização',
  'coördinaten',
  'locatie',
  'współrzędne',
  'координаты',
]);

/** Latitude, then longitude. With four decimals (11 metres) a pair is a place; with fewer it takes a word nearby. */
function pairs(view: TextView): Span[] {
  return [...view.text.matchAll(PAIR)].flatMap(({ 0: pair, 1: latitude = '', 2: longitude = '', index }) => {
    if (Math.abs(Number(latitude)) > 90 || Math.abs(Number(longitude)) > 180) return [];
    const end = index + pair.length;
    const isPrecise = [latitude, longitude].every((degrees) => (degrees.split('.')[1]?.length ?? 0) >= 4);
    const isNamed = view.near(PLACE, index, end, { before: 40, after: 20 });
    // Shares and scores are small numbers: two of them are no place.
    const isSmall = Math.abs(Number(latitude)) < 10 && Math.abs(Number(longitude)) < 10;
    const score = isNamed ? 0.8 : isPrecise && !isSmall ? 0.6 : 0.2;
    return [{ start: index, end, kind: 'coordinates', score, checked: isNamed ? 'context' : 'range' } as const];
  });
}

const PAIR =
  /(?<![\p{L}\p{N}.,_/-]|\d )([+-]?\d{1,2}\.\d{2,12})°?(?: {0,2}[,;|] {0,2}| )([+-]?\d{1,3}\.\d{2,12})°?(?![\p{L}\p{N}_%]|[.,]\d)/gu;

function named(view: TextView): Span[] {
  return [...view.text.matchAll(NAMED)].map(({ 0: all, 1: degrees = '', index }) => {
    const end = index + all.length;
    return { start: end - degrees.length, end, kind: 'coordinates', score: 0.7, checked: 'named' };
  });
}

const NAMED =
  /(?<![\p{L}])(?:m?lat|m?lon|m?lng|latitude|lon|lng|long|longitude|Breitengrad|Längengrad|latitud|longitud|latitudine|longitudine)["']?\s{0,3}[:=]\s{0,3}["']?([+-]?\d{1,3}\.\d{2,12})/giu;

const SHAPES: readonly { hint: string; shape: RegExp; checked: string; score: number }[] = [
  {
    hint: 'geo',
    shape: /(?<![\p{L}\p{N}])geo:[+-]?\d{1,2}(?:\.\d{1,12})?,[+-]?\d{1,3}(?:\.\d{1,12})?(?:[,;][\w=.,;-]{1,60})?/giu,
    checked: 'geo_uri',
    score: 0.95,
  },
  {
    hint: ',',
    shape:
      /(?<=[/!?&=]@)[+-]?\d{1,2}\.\d{3,12},[+-]?\d{1,3}\.\d{3,12}|(?<=!3d)[+-]?\d{1,2}\.\d{3,12}!4d[+-]?\d{1,3}\.\d{3,12}/gu,
    checked: 'map_url',
    score: 0.9,
  },
  {
    hint: '°',
    shape:
      /(?<![\p{L}\p{N}.])(?:[NSEWO] ?)?\d{1,3} ?[°º] ?(?:\d{1,2}(?:\.\d{1,6})? ?['m] ?)?(?:\d{1,2}(?:\.\d{1,6})? ?(?:"|''|s) ?)?[NSEWO]?[ ,;/]{0,3}(?:[NSEWO] ?)?\d{1,3} ?[°º] ?(?:\d{1,2}(?:\.\d{1,6})? ?['m] ?)?(?:\d{1,2}(?:\.\d{1,6})? ?(?:"|''|s) ?)?[NSEWO]?(?![\p{L}\p{N}])/gu,
    checked: 'degrees',
    score: 0.8,
  },
  {
    hint: 'map=',
    shape: /(?<=[#?&]map=\d{1,2}(?:\.\d{1,2})?\/)[+-]?\d{1,2}\.\d{2,12}\/[+-]?\d{1,3}\.\d{2,12}/gu,
    checked: 'map_url',
    score: 0.9,
  },
  {
    // Decimals with a comma, and the point of the compass without the sign of degrees.
    hint: ' ',
    shape:
      /(?<![\p{L}\p{N}.,])\d{1,2}[.,]\d{3,12} ?°? ?[NS][ ,;/]{1,3}\d{1,3}[.,]\d{3,12} ?°? ?[EWO](?![\p{L}\p{N}])/gu,
    checked: 'degrees',
    score: 0.9,
  },
  {
    hint: 'deg',
    shape: /(?<![\p{L}\p{N}.])\d{1,3} deg \d{1,2}' ?\d{1,2}(?:\.\d{1,4})?"? ?[NSEW](?![\p{L}\p{N}])/gu,
    checked: 'degrees',
    score: 0.9,
  },
  {
    hint: '/',
    shape: /(?<![\p{L}\p{N}.,/_-])[+-]\d{1,2}\.\d{4,12}\/[+-]\d{1,3}\.\d{4,12}(?![\p{L}\p{N}./])/gu,
    checked: 'range',
    score: 0.6,
  },
  {
    hint: '+',
    shape: /(?<![\p{L}\p{N}])[23456789CFGHJMPQRVWX]{4}\+[23456789CFGHJMPQRVWX]{2,3}(?=,? \p{Lu}\p{Ll}{2})/gu,
    checked: 'plus_code',
    score: 0.5,
  },
  {
    hint: ' ',
    shape:
      /(?<=(?<![\p{L}\p{N}])(?:UTM|MGRS|USNG|OSGB|UTMREF)[: ]{1,2})\d{1,2}[C-HJ-NP-X] ?(?:[A-HJ-NP-Z]{2} ?\d{2,5} ?\d{2,5}|\d{6} \d{7})(?!\p{N})/gu,
    checked: 'grid',
    score: 0.8,
  },
  {
    hint: 'eohash',
    shape: /(?<=(?<!\p{L})[Gg]eohash["']?[ :=]{1,3}["']?)[0-9b-hjkmnp-z]{5,12}(?![\p{L}\p{N}])/gu,
    checked: 'geohash',
    score: 0.7,
  },
  {
    hint: '°',
    shape:
      /(?<![\p{L}\p{N}])[+-]?\d{1,3}\.\d{2,12} ?° ?[NSEWO][ ,;/]{1,3}[+-]?\d{1,3}\.\d{2,12} ?° ?[NSEWO](?![\p{L}\p{N}])/gu,
    checked: 'degrees',
    score: 0.9,
  },
  {
    hint: '+',
    shape:
      /(?<![\p{L}\p{N}])[23456789CFGHJMPQRV][23456789CFGHJMPQRVWX]{7}\+[23456789CFGHJMPQRVWX]{2,3}(?![\p{L}\p{N}])/gu,
    checked: 'plus_code',
    score: 0.5,
  },
  {
    hint: '///',
    shape: /(?<![\p{L}\p{N}:/])\/\/\/\p{Ll}{2,20}\.\p{Ll}{2,20}\.\p{Ll}{2,20}(?![\p{L}\p{N}.])/gu,
    checked: 'what3words',
    score: 0.7,
  },
];

function shaped({ text }: TextView): Span[] {
  return SHAPES.filter(({ hint }) => text.includes(hint)).flatMap(({ shape, checked, score }) =>
    [...text.matchAll(shape)]
      // Two temperatures or angles: a pair of degrees needs a minute, a second or a point of the compass.
      .filter(({ 0: found }) => checked !== 'degrees' || /[NSEWO'"]/u.test(found))
      .map(({ 0: found, index }) => ({
        start: index,
        end: index + found.trimEnd().length,
        kind: 'coordinates',
        score,
        checked,
      })),
  );
}
