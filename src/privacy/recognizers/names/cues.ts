import { foldAll } from './fold.ts';

/** What words before a name say: `person` that a person's name follows, `label` the same if a colon follows, `soft` that one may. */
export type Cue = 'greeting' | 'title' | 'label' | 'soft';

/** Phrases of up to three folded words. */
export const CUES: ReadonlyMap<string, readonly Cue[]> = gather([
  ...foldAll(`
    w, tell, ping, remind, email, phone, text, ring, dm, sync, catch up, catchup, lunch, coffee, jour fixe, call, birthday, interview, cv, resume, payslip, appraisal, signed by,
    best regards, kind regards, warm regards, warmest regards, with regards, many thanks, yours sincerely, yours faithfully, all the best, best wishes, take care,
    viele grüße, liebe grüße, beste grüße, herzliche grüße, freundliche grüße, mit freundlichen grüßen, schöne grüße, bis dann, geburtstag, lebenslauf, kündigung, gehaltsgespräch, lohnabrechnung, personalakte, arbeitsvertrag, zeugnis, anamnese, sprich mit, frag, frage an, rückruf,
    bien cordialement, sincères salutations, salutations distinguées, bien à vous, bonne journée, anniversaire, rdv avec, demande à, un saludo, un abrazo, atentamente, saludos cordiales, cumpleaños, pregunta a, llamar a, cordiali saluti, distinti saluti, un saluto, un abbraccio, compleanno, chiedi a, chiamare, atenciosamente, com os melhores cumprimentos, aniversário, ligar para,
    met vriendelijke groet, met vriendelijke groeten, hartelijke groet, verjaardag, vraag aan, z poważaniem, z wyrazami szacunku, urodziny, zapytaj, zadzwoń do, umowa, s pozdravem, s přátelským pozdravem, narozeniny, zavolat, s pozdravom, lijep pozdrav, srdačan pozdrav, rođendan, lep pozdrav, rojstni dan, üdvözlettel, szülinap, cu stimă, cu respect, med vänlig hälsning, vänliga hälsningar, med vennlig hilsen, med venlig hilsen, mvh, ystävällisin terveisin, saygılarımla, doğum günü,
    с уважением, с наилучшими пожеланиями, день рождения, договор, позвонить, спроси, з повагою, з найкращими побажаннями, день народження, договір, με εκτίμηση, χαιρετισμούς, مع تحيات, تحياتي, בברכה, trân trọng, hormat saya, salam hormat,
    with, by, from, to, for, and, message, chat, chat with, call with, meeting with, re, fwd, fw, aw, cc, bcc, invite, ask, met, meet, and,
    contact, profile, between, versus, thanks, thank you, regards, cheers, best, sincerely, yours, love, congratulations, welcome, bye, sorry, attn,
    mit, von, an, für, und, gruß, grüße, lg, vg, mfg, danke, bei, nachricht an, gespräch mit, termin mit, besprechung mit, willkommen, wg,
    avec, de, par, pour, à, et, chez, merci, cordialement, bienvenue, réunion avec, rendez-vous avec, appel avec, entretien avec,
    con, por, para, y, gracias, saludos, reunión con, llamada con, bienvenido, bienvenida, di, da, per, e, a, ed, grazie, saluti, riunione con, incontro con, benvenuto, benvenuta,
    com, do, obrigado, obrigada, abraço, reunião com, bem-vindo, bem-vinda, met, van, voor, en, bedankt, groeten, groetjes, vergadering met, overleg met, welkom,
    z, od, dla, i, oraz, dzięki, dziękuję, pozdrawiam, spotkanie z, rozmowa z, witaj, s, se, pro, schůzka s, děkuji, díky, so, stretnutie s, ďakujem, vítej,
    sa, za, sastanak s, sastanak sa, razgovor s, hvala, pozdrav, sestanek z, pogovor z, és, köszönöm, üdv, találkozó, cu, pentru, și, mulțumesc, întâlnire cu, ședință cu,
    med, av, från, till, för, och, tack, möte med, samtal med, välkommen, fra, til, og, takk, tak, møte med, møde med, hilsen, velkommen, ja, kiitos, terveisin, tapaaminen, tervetuloa,
    ile, ve, için, teşekkürler, görüşme, toplantı, mit dem, mit der, с, со, от, для, и, к, у, спасибо, встреча с, созвон с, звонок с, разговор с, добро пожаловать, із, зі, з, від, до, та, дякую, зустріч з, дзвінок з,
    με, με τον, με την, με τη, από, για, και, ευχαριστώ, συνάντηση με, κλήση με, مع, من, إلى, الى, و, شكرا, اجتماع مع, مكالمة مع, עם, מאת, אל, של, תודה, פגישה עם, שיחה עם,
    के साथ, से, और, धन्यवाद, بواسطة, và, với, của, cho, từ, cảm ơn, họp với, cuộc gọi với, trò chuyện với, dengan, dari, untuk, dan, kepada, terima kasih, rapat dengan, กับ, ถึง, จาก
    assigned to, created by, modified by, approved by, reviewed by, shared by, message from, call from, mail from, email from, sent by, posted by, reported by, edited by, updated by, invited by, owned by, interview with, lunch with, sync with, catch up with, conversation with, discussion with, on 1 with, on one with, performance review, feedback for, review for, review with, files of, call, mail to, email to, reply to, response to, transfer to, handed over to, introduced by, written by, presented by, hosted by, managed by, reports to, speaking with, talked to, talk to, spoke with, spoke to,
    nachricht von, anruf von, anruf mit, telefonat mit, erstellt von, bearbeitet von, geändert von, zugewiesen an, unterhaltung mit, unterlagen von, mail von, e-mail von, austausch mit, gesendet von, genehmigt von, meeting mit, abstimmung mit, rücksprache mit, message de, appel de, créé par, modifié par, envoyé par, discussion avec, conversation avec, dossier de, mail de, attribué à, assigné à, point avec, correo de, mensaje de, llamada de, asignado a, creado por, modificado por, enviado por, chat con, conversación con, cita con, messaggio di, messaggio da, creato da, inviato da, assegnato a, chiamata con, chiamata da, conversazione con, appuntamento con, mensagem de, conversa com, chamada com, chamada de, criado por, enviado por, atribuído a, encontro com, chat com, bericht van, gemaakt door, toegewezen aan, chat met, gesprek met, oproep van, oproep met, afspraak met,
    wiadomość od, utworzone przez, utworzony przez, przypisane do, przypisano do, czat z, połączenie z, zpráva od, hovor s, hovor od, vytvořil uživatel, správa od, poruka od, poziv od, dodijeljeno korisniku, sporočilo od, klic od, mesaj de la, apel de la, apel cu, creat de, atribuit lui, chat cu, meddelande från, skapad av, samtal från, chatt med, tilldelad till, besked fra, opkald fra, oprettet af, melding fra, opprettet av, samtale med, anrop fra, chat med,
    сообщение от, звонок от, письмо от, чат с, создано пользователем, назначено на, беседа с, повідомлення від, дзвінок від, лист від, чат з, μήνυμα από, κλήση από, συνομιλία με, رسالة من, مكالمة من, محادثة مع, הודעה מאת, הודעה מ, שיחה עם, מכתב מאת, tin nhắn từ, pesan dari, panggilan dari, obrolan dengan, के साथ बैठक
  `).map((phrase) => [phrase, 'soft'] as const),
  ...foldAll(`
    kumusta, kamusta, kia ora, namaste, namaskar, vanakkam, salaam, assalamualaikum, salam alaikum, aloha, molo, dumela, bawo, ndewo, hujambo, morning, evening, thx, ty, ok, okay, sorry, yo, selamat siang, selamat sore, selamat malam, guten abend, boa noite, buenas noches, buona sera, goedenavond, dobry wieczór, dobré ráno, dobro jutro, dobro veče, jó napot, jó reggelt, god morgon, god morgen, iyi günler, iyi akşamlar, доброго дня, добридень, добрый вечер, добрый, спасибо,
    hi, hello, hey, dear, hiya, greetings, good morning, good afternoon, good evening, hallo, liebe, lieber, sehr geehrte, sehr geehrter, guten tag, guten morgen, moin, servus, grüezi,
    bonjour, bonsoir, salut, cher, chère, coucou, hola, querido, querida, estimado, estimada, buenos días, buenas tardes, ciao, caro, cara, gentile, egregio, buongiorno, buonasera, salve,
    olá, oi, prezado, prezada, bom dia, boa tarde, beste, geachte, hoi, dag, goedemorgen, goedemiddag, cześć, drogi, droga, szanowny, szanowna, dzień dobry, witam, ahoj, milý, milá, vážený, vážená, dobrý den, dobrý deň, čau,
    bok, dragi, draga, poštovani, poštovana, dobar dan, živjo, pozdravljeni, spoštovani, zdravo, szia, kedves, tisztelt, helló, bună, dragă, stimate, stimată, bună ziua, salutare, hej, kära, käre, hejsan, bästa, hei, kjære, kære, heisann, moi, hyvä, rakas, terve, päivää, huomenta,
    merhaba, selam, sevgili, sayın, günaydın, привет, здравствуйте, здравствуй, уважаемый, уважаемая, дорогой, дорогая, добрый день, доброе утро, привіт, шановний, шановна, дорогий, дорога, добрий день, вітаю, здравей, здравейте, скъпи, скъпа,
    γεια, γεια σου, γεια σας, αγαπητέ, αγαπητή, καλημέρα, καλησπέρα, مرحبا, مرحبا يا, عزيزي, عزيزتي, أهلا, السلام عليكم, צהריים טובים, היי, הי, שלום, שלום לך, יקר, יקרה, לכבוד, בוקר טוב, नमस्ते, प्रिय, हैलो, สวัสดี, เรียน, xin chào, chào, chào anh, chào chị, kính gửi, halo, hai, selamat pagi, labas, sveiki, tere, përshëndetje, habari, sannu, sawubona, gамarjoba, гарны дзень, salam, سلام, درود
  `).map((phrase) => [phrase, 'greeting'] as const),
  ...foldAll(`
    pane, panie, pani, gospodine, gospođo, domnule, doamnă, domnului, kyrie, herrn, frau, heer, senhora, yth, yth bapak, yth ibu, bapak,
    dott ssa, prof ssa, sig ra, sig na, sig, dr ssa, bu, mas, mbak, kak, tante, onkel, oma, opa, tía, tío, tia, tio, zia, zio, oncle, mamie, papi, grandma, grandpa, auntie, teta, strýc, ciocia, wujek, тётя, дядя, теща, abla, abi, teyze, amca,
    mr, mrs, ms, miss, mx, mister, dr, prof, professor, doctor, rev, reverend, capt, sgt, hon, sir, dame, attorney, nurse, coach, senator, president, father, sister, uncle, aunt,
    my name is, i am called, name's, his name is, her name is, call me, this is dr, my colleague, my boss, my wife, my husband, my son, my daughter, my friend,
    herr, frau, hr, fr, fräulein, herrn, herr dr, frau dr, dipl-ing, mag, ing, ich heiße, mein name ist, ich bin, kollege, kollegin, familie,
    monsieur, madame, mademoiselle, mme, mlle, maître, docteur, professeur, je m'appelle, mon nom est, señor, señora, señorita, sr, sra, srta, don, doña, dra, me llamo, mi nombre es, soy, ing, lic,
    signor, signora, signorina, sig, sig.ra, sigra, dott, dott.ssa, dottssa, dottore, dottoressa, avv, mi chiamo, senhor, senhora, dr.a, profa, meu nome é, me chamo, chamo-me, o meu nome é,
    meneer, mevrouw, dhr, mevr, mw, drs, ir, ik heet, mijn naam is, pan, pani, pana, panią, panem, panią, mgr, inż, nazywam się, mam na imię, jestem, paní, pán, pána, slečna, jmenuji se, jmenuju se, volám sa, mgr, ing, bc, mudr, judr,
    gospodin, gospođa, gospodin, gospa, gospod, gosp, gđa, zovem se, moje ime je, ime mi je, ja sam, úr, domnul, doamna, dl, dna, d-na, d-l, mă numesc, numele meu este, herr, fru, fröken, jag heter, mitt namn är, jeg heter, jeg hedder, mit navn er, navnet mitt er, herra, rouva, nimeni on, olen,
    bay, bayan, adım, benim adım, господин, госпожа, г-н, г-жа, гн, гжа, господину, доктор, профессор, меня зовут, моё имя, пан, пані, пане, мене звати, моє ім'я, доктор, κύριος, κυρία, κύριε, κα, κος, δρ, με λένε, ονομάζομαι, το όνομά μου είναι,
    السيد, السيدة, الأستاذ, الأستاذة, الدكتور, الدكتورة, دكتور, المهندس, الآنسة, اسمي, אדון, מר, גברת, גב', ד"ר, פרופ', שמי, קוראים לי, श्री, श्रीमती, डॉ, कुमारी, मेरा नाम, นาย, นาง, นางสาว, คุณ, ดร,
    ông, bà, anh, chị, cô, tên tôi là, tôi là, tôi tên là, bapak, ibu, pak, tuan, nyonya, nama saya, آقای, خانم, جناب, mano vardas, mani sauc, minu nimi on, un jam, jina langu ni, lederen
  `).map((phrase) => [phrase, 'title'] as const),
  ...foldAll(`
    reviewer, reviewers, approver, approvers, requester, requestor, assignees, collaborator, collaborators, signed-off-by, co-authored-by, reviewed-by, reported-by, acked-by, tested-by, committer, maintainer, instructor, tutor, guardian, parent, guest, guests, member, witness, notary, claimant, defendant, plaintiff, policyholder, passenger, traveller, traveler, resident, doctor, therapist, landlord, shareholder, director, signatory, visitor, sales rep, account manager, point of contact, poc, dri, sender name, recipient name, maiden name, middle name, patient's name, nickname, known as, aka,
    prüfer, prüferin, genehmiger, antragsteller, antragstellerin, vermieter, mieter, arzt, hausarzt, zeuge, kläger, beklagter, versicherungsnehmer, betreff, besucher, reisender, gast, médecin, locataire, bailleur, témoin, demandeur, nom de famille, nom de naissance, médico, inquilino, testigo, solicitante, revisor, aprobador, médico tratante, medico, locatario, richiedente, testimone, recenzent, recenzentka, lekarz, świadek, najemca, wnioskodawca, lékař, nájemce, svědek, žadatel, рецензент, врач, арендатор, заявитель, свидетель, пациентка, лікар, заявник,
    name, full name, first name, last name, surname, given name, family name, customer name, customer, client name, client, patient, patient name, employee, employee name, manager, owner, assignee, reporter, author, attn, attention, contact, contact person, contact name, assigned to, created by, modified by, approved by, reviewed by, prepared by, signed by, requested by, organizer, organiser, host, participants, attendees, attendee, invitees, sender, recipient, from, to, cc, bcc, supervisor, student, teacher, tenant, cardholder, card holder, account holder, beneficiary, insured, driver, applicant, candidate, interviewer, interviewee, interview, nurse, physician, spouse, next of kin, emergency contact, mother, father, user, display name, 1-1, one on one, reported by, caller, speaker, presenter, by, c/o, co, re, fwd, review, resume, cv, payee, ship to, bill to, deliver to, lead, responsible,
    vorname, nachname, kunde, kundenname, kundin, mitarbeiter, mitarbeiterin, ansprechpartner, ansprechpartnerin, sachbearbeiter, bearbeiter, verfasser, autor, patientin, von, an, absender, empfänger, teilnehmer, organisator, zuständig, zugewiesen an, erstellt von, geändert von, kontoinhaber, inhaber, zhd, z hd, zu händen, bewerber, bewerberin, lebenslauf, geburtsname, versicherter,
    nom, prénom, nom complet, nom et prénom, client, patient, auteur, responsable, expéditeur, destinataire, contact, assigné à, créé par, titulaire, employé, salarié, organisateur, nombre, nombre completo, apellidos, nombre y apellidos, cliente, paciente, autor, responsable, asignado a, creado por, titular, empleado, remitente, destinatario, contacto,
    nome, cognome, nome e cognome, nominativo, paziente, autore, assegnato a, creato da, intestatario, dipendente, mittente, referente, sobrenome, nome completo, apelido, atribuído a, criado por, funcionário, remetente, contato, responsável, naam, voornaam, achternaam, klant, contactpersoon, toegewezen aan, gemaakt door, medewerker, afzender, ontvanger,
    imię, nazwisko, imię i nazwisko, klient, pacjent, autor, przypisane do, utworzone przez, pracownik, nadawca, odbiorca, jméno, příjmení, jméno a příjmení, zákazník, pacient, přiřazeno, řešitel, meno, priezvisko, ime, prezime, ime i prezime, ime in priimek, priimek, korisnik, kupac, pacijent, dodijeljeno, név, teljes név, ügyfél, beteg, felelős, vezetéknév, keresztnév, nume, prenume, nume complet, numele, client, pacient, atribuit, responsabil,
    namn, förnamn, efternamn, kund, patient, tilldelad, ansvarig, navn, fornavn, etternavn, ansvarlig, tildelt, nimi, etunimi, sukunimi, asiakas, potilas, vastuuhenkilö, ad, soyad, ad soyad, adı soyadı, müşteri, hasta, atanan, sorumlu, фио, имя, фамилия, отчество, клиент, пациент, автор, ответственный, исполнитель, назначено, кому, от, отправитель, получатель, піб, ім'я, прізвище, клієнт, пацієнт, виконавець, відповідальний, име, фамилно име,
    όνομα, επώνυμο, ονοματεπώνυμο, πελάτης, ασθενής, υπεύθυνος, الاسم, اسم العميل, اسم المريض, الاسم الكامل, العميل, المريض, שם, שם מלא, שם פרטי, שם משפחה, לקוח, מטופל, नाम, ग्राहक, रोगी, ชื่อ, ชื่อ-นามสกุล, ผู้ป่วย, họ tên, họ và tên, tên, khách hàng, bệnh nhân, nama, nama lengkap, pelanggan, نام, نام و نام خانوادگی
  `).map((phrase) => [phrase, 'label'] as const),
]);

function gather(pairs: readonly (readonly [string, Cue])[]): Map<string, Cue[]> {
  const cues = new Map<string, Cue[]>();
  for (const [phrase, cue] of pairs) {
    const others = cues.get(phrase);
    if (others === undefined) cues.set(phrase, [cue]);
    else if (!others.includes(cue)) others.push(cue);
  }
  return cues;
}

/** Titles that nothing but a person follows, so that also an unlisted word after them is a name. */
export const SURE_TITLES: ReadonlySet<string> = new Set(
  foldAll(`
    dott ssa, prof ssa, sig ra, panie, κύριε, pane, gospodine, gospođo, domnule, doamnă, mr, mrs, ms, dr, prof, professor, herr, herrn, frau, hr, monsieur, mme, mlle, señor, señora, señorita, sr, sra, srta, signor, signora, sig, dott, dottoressa, dottore, senhor, senhora, meneer, mevrouw, dhr, mevr, pan, pani, paní, pán, panem, panią, gospodin, gospođa, domnul, doamna, fru, herra, rouva, sayın, bapak, ibu, господин, госпожа, г-н, г-жа, доктор, κύριος, κυρία, κα, السيد, السيدة, الدكتور, الأستاذ, د, גברת, מר, श्री, श्रीमती, นาย, นาง, นางสาว, คุณ, ông, bà
  `),
);

/** Labels that nothing but a part of a name stands after, so that also an unlisted word there is one. */
export const NAME_LABELS: ReadonlySet<string> = new Set(
  foldAll(`
    first name, last name, surname, given name, family name, full name, maiden name, middle name, patient name, employee name, contact name, vorname, nachname, familienname, geburtsname, prénom, nom de famille, nom et prénom, apellidos, apellido, nombre y apellidos, cognome, nome e cognome, sobrenome, apelido, nome completo, voornaam, achternaam, imię, nazwisko, imię i nazwisko, příjmení, křestní jméno, jméno a příjmení, priezvisko, prezime, ime i prezime, priimek, ime in priimek, vezetéknév, keresztnév, prenume, förnamn, efternamn, fornavn, etternavn, etunimi, sukunimi, soyad, ad soyad, adı soyadı, фио, фамилия, отчество, піб, прізвище, фамилно име, επώνυμο, ονοματεπώνυμο
  `),
);

/** Words right after a name that say that somebody did or is something. */
export const AFTER: ReadonlySet<string> = new Set(
  foldAll(`
    said, says, wrote, writes, joined, left, shared, commented, mentioned, sent, invited, replied, reacted, liked, called, asked, told, thinks, works, lives, is typing, is calling, is presenting, is away, is offline, is online, has joined, has left, has shared, has invited, wants, added, assigned, edited, uploaded, accepted, declined, started, tagged, requested, approved, phd, md, esq, jr, sr, mba,
    schrieb, sagt, sagte, schreibt, hat, arbeitet, wohnt, tippt, möchte, a écrit, a partagé, a dit, écrit, travaille, habite, est en train, dice, escribió, dijo, ha compartido, compartió, trabaja, vive, está escribiendo, ha scritto, scrive, lavora, sta scrivendo, escreveu, disse, está digitando, partilhou, compartilhou, schreef, zegt, heeft, werkt, is aan het typen,
    napisał, napisała, pisze, udostępnił, udostępniła, napsal, napsala, píše, napisao, napisala, piše, írta, ír, a scris, scrie, skrev, skriver, har, delade, kirjoitti, kirjoittaa, yazdı, yazıyor, написал, написала, пишет, печатает, сказал, сказала, написав, пише, έγραψε, γράφει, كتب, كتبت, يكتب, כתב, כתבה, מקליד, מקלידה, ने, đang nhập, viết, bey, hanım, ji, san, sama, sensei, sahib
  `),
);

/** Words of programs and places where people talk to each other: a title's other part being a name is likely there. */
export const TALK: ReadonlySet<string> = new Set(
  foldAll(`
    chat, chats, message, messages, teams, slack, zoom, whatsapp, skype, messenger, telegram, signal, discord, webex, linkedin, facebook, instagram, xing, viber, wechat, line, hangouts, huddle, call, calling, dm, meeting, calendar, profile, contact, contacts, guest, conversation, mention, unread, incoming, video, voice, ringing, presenting, organizer, external,
    unterhaltung, besprechung, anruf, profil, gast, termin, kalender, gespräch, kontakt, réunion, conversation, appel, invité, contact, reunión, llamada, invitado, perfil, contacto, riunione, chiamata, ospite, profilo, contatto, reunião, chamada, convidado, vergadering, gesprek, oproep, gast, profiel, spotkanie, rozmowa, czat, gość, połączenie, schůzka, hovor, host, sastanak, razgovor, poziv, gost, találkozó, hívás, vendég, ședință, apel, oaspete, möte, samtal, gäst, møte, møde, samtale, gjest, gæst, kokous, keskustelu, puhelu, vieras, sohbet, toplantı, görüşme, misafir, чат, встреча, звонок, гость, профиль, беседа, зустріч, дзвінок, гість, συνομιλία, συνάντηση, κλήση, επισκέπτης, دردشة, محادثة, اجتماع, ضيف, מפגש, צ'אט, שיחה, אורח, פגישה, चैट, बैठक, अतिथि, แชท, trò chuyện, cuộc họp, khách, obrolan, rapat, tamu, resume, cv
  `),
);

/** Names of companies and things that are called by people: not about the person. */
export const PUBLIC_NAMES: ReadonlySet<string> = new Set(
  foldAll(`
    delta lake, morgan stanley, wells fargo, jp morgan, jpmorgan chase, johnson johnson, calvin klein, louis vuitton, charles schwab, ernst young, harley davidson, mercedes benz, dr oetker, dr pepper, dr martens, dr scholl, mr coffee, mr clean, mr bean, mr robot, martin luther king, martin luther, saint martin, goldman sachs, procter gamble, marks spencer, ben jerry, baker hughes, booz allen, eli lilly, estee lauder, ralph lauren, tommy hilfiger, jack daniels, johnnie walker, jim beam, philip morris, lloyds bank, edward jones, raymond james, charles river, thomas cook, thomson reuters, john deere, warner bros, walt disney, marie curie, ada lovelace, max planck, alan turing, rolls royce, aston martin, alfa romeo, levi strauss, giorgio armani, hugo boss, jean paul, yves rocher, yves saint laurent, christian dior, karl lagerfeld, victoria secret, carl zeiss, robert bosch, robert half, johns hopkins, king charles, santa claus, san jose, san diego, san francisco, santa barbara, santa clara, santa monica, los angeles, el paso, hong kong, uncle sam, monte carlo, gill sans, franklin gothic, comic sans, george washington university, visual studio, jane street, san marino, great britain, new york, don quijote, elder scrolls, raspberry pi, lorem ipsum, hello kitty, jenkins pipeline, linus tech, dow jones, standard poor, dun bradstreet, merrill lynch, lehman brothers, smith wesson, black decker, bang olufsen, barnes noble, crate barrel, abercrombie fitch, dolce gabbana, hewlett packard, rohde schwarz, giesecke devrient, heckler koch, kiehl, rudolf steiner, konrad adenauer, friedrich ebert, charles darwin university, charles de gaulle, john f kennedy, martin luther king jr, sao paulo, sao tome, san antonio, san juan, santa cruz, santa fe, port louis, saint louis, abu dhabi, al jazeera, la paz, las vegas, carlos iii,
    hey siri, hey alexa, hey cortana, hello dolly, good morning america, good morning vietnam, frau holle, mrs butterworth, mr muscle, mr proper, mr price, aunt jemima, uncle ben, uncle bens, father christmas, mother nature, miss universe, miss marple, mrs fields, mrs doubtfire, mr potato head, mr bricolage, dr who, dr house, dr strange, dr hauschka, dr reddy, sister act, captain morgan, captain america, captain crunch, nurse jackie, coach carter, madame tussauds, madame bovary, lady gaga
  `),
);

/** Words with which a name of {@link PUBLIC_NAMES} begins: a cheap reason not to look. */
export const PUBLIC_BEGINNINGS: ReadonlySet<string> = new Set(
  [...PUBLIC_NAMES].map((name) => name.split(' ', 1)[0] ?? ''),
);
