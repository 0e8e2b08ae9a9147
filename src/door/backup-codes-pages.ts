import { html } from 'hono/html';
import type { Account } from '../accounts/accounts.ts';
import {
  actions,
  button,
  codeList,
  copyButton,
  form,
  onPaper,
  printButton,
  timeText,
  type Html,
} from '../web/components.ts';
import type { Door, HalfSignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { doorPage, localeAt, nameAt, sayAt } from './frame.ts';

const BOTH_DOORS = { outer: true, inner: true };

/** C6 before: MFA is on, and the codes are a button away. */
export function offerCodesPage(door: Door): Html {
  return doorPage(door, {
    title: say('mfa.codes.offer.title'),
    phrase: say('mfa.phrase'),
    progress: BOTH_DOORS,
    body: html`<p>${say('mfa.codes.offer.text')}</p>
      ${form(`${door.base}/enable-mfa/backup-codes`, button(say('mfa.codes.generate')), {
        busy: say('mfa.codes.generate.busy'),
      })}
      <p class="hint">${sayAt(door, 'mfa.codes.without')}</p>
      ${form(`${door.base}/enable-mfa/done`, button(say('mfa.codes.continue'), { kind: 'second' }))}`,
  });
}

/** C6 after, and C15: the five codes, with every way to keep them. */
export function codesPage(visit: Visit, half: HalfSignedIn, codes: readonly string[]): Html {
  const { door, challenge } = half;
  const isNewSet = challenge.inside !== null;
  const shown = codes.map(inGroups);
  const copy = copyButton(say('mfa.codes.copy'), shown.join('\n'), {
    copied: say('mfa.codes.copied', { n: shown.length }),
    problem: say('mfa.codes.copy-problem'),
    select: 'codes',
  });
  const downloadForm = form(
    `${door.base}/enable-mfa/backup-codes/download`,
    button(say('mfa.codes.download'), { kind: 'second' }),
    { said: say('mfa.codes.downloaded') },
  );
  const head = fileHead(visit, door, challenge.account);
  return doorPage(door, {
    title: say(isNewSet ? 'mfa.codes.new.title' : 'mfa.codes.title'),
    phrase: isNewSet ? undefined : say('mfa.phrase'),
    progress: BOTH_DOORS,
    body: html`${onPaper(
        html`<h2>${head.title}</h2>
          ${head.lines.map((line) => html`<p>${line}</p>`)}`,
      )}
      <p>${say('mfa.codes.once')}</p>
      <div class="saving" data-guard="codes">
        ${codeList('codes', say('mfa.codes.list'), shown)}
        ${actions(downloadForm, copy, printButton(say('mfa.codes.print')))}
      </div>
      <p>${say('mfa.codes.places')}</p>
      ${onPaper(html`<p>${say('mfa.codes.file.lost')}</p>`)}
      <p class="no-paper"><strong>${say('mfa.codes.last')}</strong></p>
      ${form(`${door.base}/enable-mfa/done`, button(say(isNewSet ? 'mfa.codes.new.continue' : 'mfa.codes.continue')))}`,
  });
}

/** The file behind Download: UTF-8 with BOM and CRLF, because that opens right in every editor. */
export function codesFile(
  visit: Visit,
  door: Door,
  account: Account,
  codes: readonly string[],
): { name: string; text: string } {
  const { title, lines } = fileHead(visit, door, account);
  const text = [
    title,
    ...lines,
    '',
    say('mfa.codes.file.once'),
    '',
    ...codes.map(inGroups),
    '',
    say('mfa.codes.file.lost'),
    '',
  ].join('\r\n');
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone: localeAt(door).timeZone }).format(visit.now);
  return { name: `${door.organization?.slug ?? 'sallyport'}-backup-codes-${day}.txt`, text: `\ufeff${text}` };
}

function fileHead(visit: Visit, door: Door, account: Account): { title: string; lines: string[] } {
  const where = localeAt(door);
  const made = {
    date: timeText(visit.now, where, 'date'),
    time: timeText(visit.now, where, 'hour'),
    zone: where.timeZone,
  };
  return {
    title: say('mfa.codes.file.title', { m: nameAt(door) }),
    lines: [
      say('mfa.codes.file.account', { email: account.email }),
      say('mfa.codes.file.made', made),
      say('mfa.codes.file.sign-in', { url: `${visit.house.publicUrl}${door.base}` }),
    ],
  };
}

function inGroups(code: string): string {
  return code.match(/.{4}/g)?.join('-') ?? code;
}
