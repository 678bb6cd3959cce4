import { CALENDAR, PLACES } from './data.ts';
import { foldAll } from './fold.ts';

/** Things that bear a name, by kind; none that many people are called as well (`Paul Smith`). */

/** Phrases of two or three words. They count as things unless a greeting, a title or a label says that a person is meant. */
export const THINGS: ReadonlySet<string> = new Set([
  // Companies and brands.
  ...foldAll(`
    papa john, jimmy john, trader joe, carl jr, sam club, dave buster, tim hortons, fannie mae, freddie mac, sallie mae, ginnie mae, oliver wyman, arthur d little,
    mary kay, johnson matthey, lockheed martin, harris teeter, brooks brothers, harry winston, patek philippe, daniel wellington, stella mccartney, vivienne westwood, alexander mcqueen,
    victoria beckham, l'oreal paris, bobbi brown, max mara, cole haan, hilton garden, rowe price, franklin templeton, willis towers, marc o'polo, jacques vabre, charlotte tilbury,
    estrella galicia, giovanni rana, costa crociere, douwe egberts, pinar sut, bjorn borg, de cecco, newman own, casey general, tom tom, anne klein, liz claiborne,
    roland berger, elizabeth arden, helena rubinstein, max factor, michael kors, kate spade, tory burch, marc jacobs, jil sander, salvatore ferragamo, hans grohe,
    jack daniel, jose cuervo, stella artois, betty crocker, little debbie, aunt jemima, uncle ben, mrs butterworth, leroy merlin, louis garneau,
    albert heijn, philips hue, axel springer, bakker bart, casas bahia, magazine luiza, van dale, franck provost, yves delorme, pierre cardin,
    pierre marcolini, guy laroche, nina ricci, paco rabanne, kenzo takada, carolina herrera, oscar de la renta, diane von furstenberg, vera wang, donna karan,
    jimmy choo, manolo blahnik, steve madden, kenneth cole, perry ellis, eddie bauer, tommy bahama, johnny rockets, jack astor, tony roma, ruth chris,
    peet coffee, jenny craig, sherwin williams, farrow ball, herman miller, ashley furniture, laura ashley, mothercare, waterstones,
    rolf benz, tom tailor, jack wolfskin, gerry weber, heine versand, mister spex, robert koch institut, franz carl weber,
    otto bock, otto group, max bahr, konrad electronic, conrad electronic, johnny walker, jim beam, tito vodka,
    adidas stan smith, air jordan, jordan brand, hays recruitment, kelly services, randstad, duff phelps, arthur andersen,
    frost sullivan, ernst young, baker mckenzie, baker tilly, grant thornton, jones lang lasalle, cushman wakefield, knight frank, marsh mclennan, 
    charles tyrwhitt, russell hobbs, morphy richards, dr martens, ben sherman, fred perry, paul costelloe, fortnum mason, harvey nichols, debenhams,
    marie claire, elle decor, harper bazaar, vanity fair, rolling stone, reader digest, national geographic, scientific american, jane defence, lonely planet,
    christie auction, sotheby, piper heidsieck, dom perignon, veuve clicquot, moet chandon, remy martin, robert mondavi, ernest gallo, barry callebaut, ferrero rocher,
    van gogh museum, van moof, mc donald, jimmy dean, sara lee frozen, marie callender, chef boyardee, orville redenbacher, duncan hines,
    famous amos, mrs fields, mrs dash, mrs meyer, mr muscle, mr proper, mr price, mr bricolage, dr beckmann, dr hauschka, dr bronner, dr reddy, lady gaga, burt bees
  `),
  // Cars and other machines.
  ...foldAll(`
    renault clio, renault zoe, renault megane, renault scenic, renault twingo, renault kangoo, renault austral, skoda octavia, skoda fabia, skoda superb, skoda kamik,
    seat leon, seat ibiza, seat arona, seat cordoba, seat toledo, kia ceed, kia niro, kia rio, kia carens, lotus elise, lotus elan, lotus evora, ferrari enzo, ferrari roma,
    alfa giulia, romeo giulia, romeo giulietta, maserati levante, lancia thema, lancia delta, fiat tipo, fiat doblo, fiat panda, opel adam, opel corsa, opel karl, opel astra,
    ford fiesta, ford escort, ford taurus, ford ranger, chevrolet camaro, chevrolet malibu, dodge dart, dodge ram, honda jazz, honda accord, honda civic, nissan micra,
    nissan juke, toyota yaris, toyota prius, toyota aygo, hyundai kona, hyundai elantra, hyundai santa fe, mazda miata, volkswagen polo, volkswagen scirocco, volvo amazon,
    porsche taycan, porsche cayenne, porsche carrera, porsche macan, mercedes vito, mercedes sprinter, dacia duster, dacia logan, dacia jogger, citroen berlingo, citroen saxo, tesla roadster
  `),
  // Works and those who play in them.
  ...foldAll(`
    alan adi, domena publiczna,
    elden ring, wild hunt, victor hugo, anne frank, jeanne d'arc, gustav vasa, johann sebastian bach, amadeus mozart, van beethoven, da vinci, taylor swift, shirley temple, arnold palmer, zwarte piet, jolly roger, jack frost,
    harry potter, hermione granger, ron weasley, albus dumbledore, lara croft, max payne, alan wake, tony hawk, sid meier, tom clancy, mario kart, super mario, mario party, mario odyssey,
    luigi mansion, duke nukem, jill valentine, carmen sandiego, peter pan, robin hood, peter rabbit, winnie pooh, mickey mouse, minnie mouse,
    donald duck, daisy duck, bugs bunny, scooby doo, fred flintstone, homer simpson, bart simpson, charlie brown, charlie chaplin, charlie hebdo, bob builder, bob marley,
    mary poppins, oliver twist, david copperfield, tom sawyer, huckleberry finn, moby dick, jane eyre, anna karenina, emma bovary, madame bovary, romeo and juliet, romeo juliet, 
    hello dolly, rocky balboa, forrest gump, john wick, james bond, jason bourne, indiana jones, luke skywalker, anakin skywalker, han solo, princess leia,
    darth vader, bruce wayne, clark kent, sherlock holmes, hercule poirot, miss marple, sam spade, harley quinn, wonder woman, mona lisa, marco polo,
    dora explorer, thomas tank, ally mcbeal, grey anatomy, ted lasso, emily in paris, bojack horseman, rick and morty, tom and jerry, hansel gretel, max moritz, max und moritz,
    petit prince, petit nicolas, pippi langstrumpf, nils holgersson, michel aus lonneberga, frau holle, hans im gluck, good morning america, stella awards, tony awards, emmy awards,
    christmas carol, amazing grace, billie jean, jolene, sweet caroline, angie, hey jude, hey joe, eleanor rigby, penny lane, тарас бульба, анна каренина, евгении онегин, мастер и маргарита
  `),
  // Hardware, software, fonts and colours.
  ...foldAll(`
    apache felix, apache karaf, apache helix, grace hopper, grace blackwell, ada lovelace, hey siri, hey alexa, hey cortana, hey celia, siri shortcuts, ask siri, ask alexa,
    sisoftware sandra, microsoft david, microsoft zira, microsoft mark, microsoft hazel, microsoft hedda, microsoft katja, microsoft stefan, linux mint, mint wilma, mint vanessa, mint ulyana,
    mint vera, mint victoria, mint virginia, mint xia, mint zara, mint tessa, mint tara, mint tina, mint sarah, mint sonya, mint sylvia, mint rosa, mint rafaela, mint rebecca, mint qiana, mint petra,
    bradley hand, brush script, josefin sans, josefin slab, mona sans, hubot sans, gill sans, josephine sans, maria antonietta, alice blue, kelly green, hunter green, robin egg, rebecca purple,
    rose garden, jerry can, molly bolt, bloody mary, lazy susan, bobby pin, billy goat, pandora box, adam apple, luna rossa, virgen del pilar, gran poder, kia sportage, kawasaki ninja, mini cooper, cooper s,
    rosy brown, alizarin crimson, paris green, scheele green, ruby red, robert egg, violet red, jasmine tea, earl grey, granny smith, pink lady, german shepherd, cocker spaniel, jack russell,
    russell terrier, mann-whitney u, عيد سعيد, رمضان كريم, st bernard, saint bernard, martin pecheur, adams apple, black widow, lady bug, christmas eve, new year eve, sweet william, black eyed susan
  `),
  // Places that are called after people, and parts of names of places.
  ...foldAll(`
    costa smeralda, villa borghese, casa pia, joao pessoa, mark brandenburg, eleftherios venizelos, ελευθεριοσ βενιζελοσ, sao bernardo, sao jose dos, sierra leone, sierra leona, sierra nevada, sierra madre, costa rica, costa brava, costa blanca, costa mesa, rio branco, rio negro, rio grande, rio tinto, rio bravo, mont blanc, monte rosa, monte carlo,
    hudson bay, james bay, baffin bay, hyde park, angel falls, victoria falls, twin falls, jackson hole, jackson heights, alice springs, palm springs, colorado springs, joshua tree, milton keynes,
    vittorio veneto, reggio emilia, venezia giulia, friuli venezia giulia, friuli-venezia giulia, emilia romagna, castilla y leon, castilla la mancha, puerta del sol, vila nova, campo grande, minas gerais, mato grosso,
    las palmas, palma de mallorca, santa rosa, hoover dam, glen canyon, leonardo da vinci, leonardo da vinci-fiumicino, indira gandhi international, checkpoint charlie, helen of troy, mount vernon, mount st helens, port elizabeth,
    port arthur, port harcourt, port moresby, prince albert, prince george, prince rupert, prince edward island, lake louise, lake charles, lake geneva, lake constance, lake victoria, fort wayne, fort worth,
    fort smith, fort collins, fort myers, fort lauderdale, little rock, ann arbor, baton rouge, des moines, cape cod, cape may, martha vineyard, king cross, kings cross, queen anne, victoria embankment,
    covent garden, notting hill, primrose hill, camden town, canary wharf, st pancras, charing cross, tottenham court, oxford circus, potsdamer platz, alexander platz, kaiser wilhelm, kurfurstendamm,
    montgomery alabama, helena montana, jackson mississippi, augusta georgia, nelson mandela bay, unter den linden, champs elysees, gare du nord, gare saint lazare, saint germain, saint michel, saint denis, saint tropez, saint malo, san pietro, santa maria novella, ponte vecchio, via veneto,
    turk hava yollari, turk telekom, cruz roja, reyes magos, banco santander, koning willem, jan steen, carl zeiss jena, friedrich schiller, ludwig maximilian, humboldt forum, johannes gutenberg,
    otto von guericke, ruprecht karl, eberhard karl, martin luther university, albert ludwigs, julius maximilian, georg august, erasmus mundus, jean monnet, marie curie, vasco da gama, simon bolivar,
    benito juarez, jose marti, simone de beauvoir, rosa luxemburg, clara zetkin, heinrich boll, hans bockler, konrad adenauer, friedrich naumann, hanns seidel, willy brandt haus
  `),
  ...PLACES.split('|'),
]);

/** Words with which a name of {@link THINGS} begins: a cheap reason not to look. */
export const THING_BEGINNINGS: ReadonlySet<string> = new Set([...THINGS].map((name) => name.split(' ', 1)[0] ?? ''));

const calendar = new Set(CALENDAR.split(' '));

/** Whether a folded word is a month or a weekday, whole or short, of some language. */
export const isCalendar = (folded: string): boolean => calendar.has(folded);

/**
 * Given names that programs, shops and places have too. Alone in a part of a text they say nothing; beside a greeting, a family
 * name or whatever else says that a person is meant, they are names.
 */
export const ALONE: ReadonlySet<string> = new Set(
  foldAll(`
    adelaide, augusta, geneva, jackson, jefferson, marshall, montgomery, nelson, preston, trinidad, milan, lorraine, cordoba, kingston, clayton, camden, siena, valencia, verona,
    celeste, perla, kalina, malina, lila, violeta, esperanza, maya, luigi, juli, juni, november, mei, mai, januar, sandra, dolly, hugo, rufus, otto, douglas, oscar, romeo, juliet, forrest, minerva, freya, virgil, pilar, rosario, allegra, idris, thor, siri, bixby
  `),
);

/** Those that `from`, `to` and `in` stand before more often when a place is meant: `from Milan to Florence`. */
export const ALONE_PLACES: ReadonlySet<string> = new Set(
  foldAll(
    'adelaide, augusta, geneva, jackson, jefferson, montgomery, nelson, preston, trinidad, milan, lorraine, cordoba, kingston, florence, siena, valencia, verona',
  ),
);

/** What follows a name in the name of a thing: `Jefferson City`, `Murphy's law`. */
export const HEADS: ReadonlySet<string> = new Set(
  foldAll(`
    city, county, springs, island, islands, airport, university, college, institute, museum, foundation, award, awards, prize, nominations, effect, theorem, paradox, conjecture, lemma, inequality, algorithm, distribution,
    curve, loop, wave, principle, diagram, coefficient, transform, coil, disease, syndrome, lymphoma, equation, polynomial, estimator
  `),
);
/** What stands right before or after the name of somebody of the past in the name of a place or institution. */
export const INSTITUTIONS_BEFORE: ReadonlySet<string> = new Set(
  foldAll(`
    universidad, université, università, universidade, uniwersytet, univerzita, universitatea, place, plac, plaza, piazza, praça, rue, avenue, boulevard, quai, via, viale, corso, calle, avenida, galleria, galeria,
    aéroport, aeropuerto, aeroporto, lotnisko, letiště, musée, museo, muzeum, muzeu, gare, lycée, collège, liceo, teatro, théâtre, stade, stadio, estadio, estádio, ponte, pont, puente, ulica, aleja, náměstí, třída,
    улица, проспект, площадь, музей, театр, جامعة, مطار, شارع, مدينة, מדרשת, אוניברסיטת, רחוב, כיכר, שדרות, התעופה
  `),
);
export const INSTITUTIONS_AFTER: ReadonlySet<string> = new Set(
  foldAll(
    'university, universität, universiteit, universitet, universitetet, üniversitesi, egyetem, yliopisto, institute, institut, stiftung, museum, airport, flughafen, stadium, stadion, arena, memorial, cup, platz, straße, allee, gymnasium, gesamtschule, realschule, caddesi, bulvarı, havalimanı',
  ),
);

/** What a person is said to have found, after `Murphy's`. */
export const LAWS: ReadonlySet<string> = new Set(
  foldAll(
    'law, laws, theorem, paradox, lemma, conjecture, inequality, kappa, razor, hierarchy, sieve, curse, mansion, gate, return',
  ),
);

/** What stands before the name of a thing: `Apache Felix`, `Hurricane Katrina`. */
export const MAKERS: ReadonlySet<string> = new Set(
  foldAll(
    'apache, eclipse, jetbrains, ikea, hurricane, typhoon, cyclone, storm, operation, codename, lake, mount, cape, fort, port, villa, hotel, airport, stadium',
  ),
);

/** Shops and restaurants that are written `Wendy's`, with nothing after. */
export const SHOPS: ReadonlySet<string> = new Set(
  foldAll(
    'christie, sotheby, newman, wendy, denny, macy, levi, arby, kohl, lowe, chili, applebee, hardee, dillard, joann, sainsbury, hellmann, kellogg, reese, hershey, wrigley, smucker, stouffer, bertucci, nando, domino, dunkin, mcdonald, tostito, zaxby, culver',
  ),
);

/** Letters of the spelling alphabet that are given names: two in a row spell something. */
export const SPELLING: ReadonlySet<string> = new Set(
  'alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey yankee zulu'.split(
    ' ',
  ),
);
