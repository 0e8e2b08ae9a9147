import { html } from 'hono/html';
import type { Account } from '../accounts/accounts.ts';
import type { Ceremony, Pending } from '../auth/enrolment.ts';
import { setupKey as keyOf } from '../auth/otpauth.ts';
import {
  actions,
  button,
  codeField,
  copyButton,
  disclosure,
  form,
  linkButton,
  ltr,
  notice,
  nothing,
  pair,
  problemOf,
  qrCode,
  setupKey,
  steps,
  summaryList,
  time,
  timeText,
  words,
  type Html,
  type Problem,
} from '../web/components.ts';
import type { Door, HalfSignedIn } from '../web/guards.ts';
import { say } from '../words/say.ts';
import type { PortalPage } from '../web/layout.ts';
import { doorPage, localeAt, nameAt } from './frame.ts';

const STEPS = 3;

/** How somebody may leave the ceremony without MFA: put it off until then, or go back inside where they came from. */
export type WayRound = { kind: 'later'; until: number } | { kind: 'home' } | undefined;

/** What the pages say beside their steps: at the door, and for a ceremony that was begun inside. */
const AIMS = {
  first: { phrase: 'mfa.phrase', text: 'mfa.enable.text', submit: 'mfa.enable.submit', busy: 'mfa.enable.busy' },
  another: {
    phrase: 'mfa.another.phrase',
    text: 'mfa.another.text',
    submit: 'mfa.another.submit',
    busy: 'mfa.another.busy',
  },
  replacement: {
    phrase: 'mfa.replacement.phrase',
    text: 'mfa.replacement.text',
    submit: 'mfa.replacement.submit',
    busy: 'mfa.replacement.busy',
  },
} as const;

function aimOf({ challenge }: HalfSignedIn): keyof typeof AIMS {
  const aim = challenge.inside?.aim;
  return aim === 'another' || aim === 'replacement' ? aim : 'first';
}

function progressOf({ challenge }: HalfSignedIn): { outer: boolean; inner: boolean } {
  return { outer: true, inner: challenge.inside !== null };
}

function wordsOf(half: HalfSignedIn): (typeof AIMS)[keyof typeof AIMS] {
  return AIMS[aimOf(half)];
}

/** C4 Enable MFA for your account; begun inside, where another secret is needed after all. */
export function startPage(
  half: HalfSignedIn,
  resetAt: number | null,
  ended: Extract<Ceremony, { step: 'start' }>['ended'],
  way: WayRound,
): Html {
  const { door } = half;
  const configure = form(`${door.base}/enable-mfa`, button(say('mfa.start.configure')));
  const notices = html`${resetNotice(door, resetAt)} ${endedNotice(nameAt(door), ended)}`;
  const aim = aimOf(half);
  if (aim === 'first') return doorPage(door, { ...firstStart(half, way, configure), notices });
  return doorPage(door, {
    title: say(`mfa.${aim}.phrase`),
    progress: progressOf(half),
    notices,
    body: html`<p>${say(`mfa.${aim}.start`)} ${say(`mfa.${aim}.note`)}</p>
      ${configure} ${leave(half)}`,
  });
}

function firstStart(
  half: HalfSignedIn,
  way: WayRound,
  configure: Html,
): Pick<PortalPage, 'title' | 'progress' | 'body'> {
  const { door } = half;
  const m = nameAt(door);
  const isOffer = door.organization?.policy === 'optional' && way?.kind === 'home';
  const body = html`<p>${say(isOffer ? 'mfa.start.why.optional' : 'mfa.start.why', { m })}</p>
    <p>${say('mfa.start.benefit')}</p>
    <p>${say('mfa.start.need')}</p>
    ${disclosure(
      say('mfa.start.noapp'),
      html`<p>${say('mfa.start.noapp.install')}</p>
        <p>${say('mfa.start.noapp.computer')}</p>`,
    )}
    ${configure} ${around(door, way, say('mfa.start.later'), say(isOffer ? 'mfa.start.no-thanks' : 'mfa.not-now'))}
    ${someoneElse(door)}`;
  return { title: say('mfa.start.title'), progress: progressOf(half), body };
}

/** How to leave a step of the ceremony without MFA. */
export function around(door: Door, way: WayRound, later: string, back: string): Html {
  if (way === undefined) return nothing;
  if (way.kind === 'home') return html`<p><a href="${door.base}/home">${back}</a></p>`;
  // The end is the first moment of the day after.
  const date = time(way.until - 1, localeAt(door), 'date');
  return html`${form(`${door.base}/enable-mfa/later`, button(later, { kind: 'second' }))}
    <p class="hint">${words('mfa.start.later.by', { date })}</p>`;
}

function endedNotice(m: string, ended: Extract<Ceremony, { step: 'start' }>['ended']): Html {
  if (ended === null) return nothing;
  return notice('warn', ended === 'replaced' ? say('mfa.setup.replaced') : say('mfa.setup.tries', { m }));
}

function resetNotice(door: Door, resetAt: number | null): Html {
  if (resetAt === null) return nothing;
  const date = timeText(resetAt, localeAt(door), 'date');
  return notice(
    'warn',
    html`<p><strong>${say('home.reset', { m: nameAt(door), date })}</strong></p>
      <p>${say('home.reset.text', { m: nameAt(door) })}</p>`,
  );
}

/** C5, first half: Scan the QR code. */
export function scanPage(half: HalfSignedIn, pending: Pending, uri: string, userAgent: string): Html {
  const { door } = half;
  const { account } = half.challenge;
  const onApple = /iPhone|iPad|Macintosh/.test(userAgent);
  const image = html`${qrImage(door, account, uri)}
  ${onApple ? linkButton(say('mfa.setup.device.apple'), `apple-${uri}`) : nothing}`;
  const what = html`${steps(say('mfa.setup.scan.open'), say('mfa.setup.scan.scan'), say('mfa.setup.scan.next'))}
  ${linkButton(say('mfa.setup.next'), `${door.base}/enable-mfa/verify`, 'main')} ${typeIn(door, account, pending)}`;
  return doorPage(door, {
    wide: true,
    title: say('mfa.setup.scan.title'),
    phrase: say(wordsOf(half).phrase),
    step: say('mfa.step', { n: 1, total: STEPS }),
    progress: progressOf(half),
    notices: untilDone(half),
    body: html`${pair(image, what)} ${leave(half)}`,
  });
}

// What is there already stays untouched until the last step.
function untilDone(half: HalfSignedIn): Html {
  const aim = aimOf(half);
  return aim === 'first' ? nothing : notice('info', say(`mfa.${aim}.note`));
}

function typeIn(door: Door, account: Account, pending: Pending): Html {
  const key = keyOf(pending);
  const name = say('mfa.setup.account.value', { m: nameAt(door), email: account.email });
  const copy = copyButton(say('mfa.setup.key.copy'), key, {
    copied: say('mfa.setup.key.copied'),
    problem: say('mfa.setup.key.copy-problem'),
    select: 'key',
  });
  return disclosure(
    say('mfa.setup.cannot'),
    html`<p>${say('mfa.setup.type-in')}</p>
      ${summaryList([
        { label: say('mfa.setup.account'), value: ltr(name) },
        { label: say('mfa.setup.key'), value: setupKey('key', key) },
        { label: say('mfa.setup.type'), value: say('mfa.setup.type.value') },
      ])}
      ${actions(copy)}
      <p class="hint">${say('mfa.setup.key.note')}</p>`,
    { open: 'touch' },
  );
}

/** C5, second half: Enter the 6-digit code from the app. */
export function verifyPage(
  half: HalfSignedIn,
  pending: Pending,
  errors: readonly Problem[],
  still: boolean,
  extra: Html | undefined,
): Html {
  const { door } = half;
  const { account } = half.challenge;
  const box = codeField({ hint: say('mfa.setup.verify.hint'), error: problemOf(errors, 'code') });
  return doorPage(door, {
    title: say('mfa.setup.verify.title'),
    labelFor: 'code',
    phrase: say(wordsOf(half).phrase),
    step: say('mfa.step', { n: 2, total: STEPS }),
    progress: progressOf(half),
    errors,
    extra,
    body: html`${form(`${door.base}/enable-mfa/verify`, html`${box} ${button(say('mfa.setup.verify.submit'))}`, {
      busy: say('mfa.busy'),
    })}
    ${still ? notice('info', say('mfa.setup.still', { m: nameAt(door) })) : nothing}
    ${disclosure(say('mfa.setup.again'), html`${qrImage(door, account)} ${typeIn(door, account, pending)}`)}
    ${leave(half)}`,
  });
}

/** Step 3: nothing is active before this button. */
export function enablePage(half: HalfSignedIn, way: WayRound): Html {
  const { door } = half;
  const { phrase, text, submit, busy } = wordsOf(half);
  const notNow = half.challenge.inside ? nothing : around(door, way, say('mfa.not-now'), say('mfa.not-now'));
  return doorPage(door, {
    title: say('mfa.enable.title'),
    phrase: say(phrase),
    step: say('mfa.step', { n: 3, total: STEPS }),
    progress: progressOf(half),
    body: html`<p>${say(text)}</p>
      ${form(`${door.base}/enable-mfa/enable`, button(say(submit)), { busy: say(busy) })} ${notNow} ${leave(half)}`,
  });
}

function qrImage(door: Door, account: Account, otpauth?: string): Html {
  const src = `${door.base}/enable-mfa/qr.svg`;
  const alt = say('mfa.setup.qr.alt', { issuer: nameAt(door), account: account.email });
  return qrCode(otpauth === undefined ? { src, alt } : { src, alt, otpauth });
}

// Whoever began inside goes back there, and the setup is over.
function leave(half: HalfSignedIn): Html {
  const { door, challenge } = half;
  if (!challenge.inside) return someoneElse(door);
  return form(`${door.base}/enable-mfa/cancel`, button(say('mfa.inside.cancel'), { kind: 'link' }));
}

/** The way out for whoever is not meant. */
export function someoneElse(door: Door): Html {
  return form(`${door.base}/sign-out`, button(say('mfa.other'), { kind: 'link' }));
}
