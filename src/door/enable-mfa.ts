import { renderSVG } from 'uqr';
import { readCode } from '../auth/code-input.ts';
import { generateCodes } from '../auth/ceremony-codes.ts';
import { ceremony, enable, offer, verifyEnrolment, type Ceremony, type Pending } from '../auth/enrolment.ts';
import { otpauthUri } from '../auth/otpauth.ts';
import { setUpLater } from '../auth/grace.ts';
import { CODES_PER_SET, SCAN_AGAIN_AFTER_WRONG } from '../auth/limits.ts';
import { toldOfReset } from '../auth/recovery.ts';
import { leaveChallenge } from '../auth/sign-in.ts';
import type { Problem } from '../web/components.ts';
import { signedIn, type HalfSignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { codesFile, codesPage, offerCodesPage } from './backup-codes-pages.ts';
import { setupCodeShape } from './code-words.ts';
import { enablePage, scanPage, startPage, verifyPage, type WayRound } from './enable-mfa-pages.ts';
import { sayAt } from './frame.ts';

const PAGE_OF = { start: '', offered: '/scan', unconfirmed: '/confirm', proven: '/enable', enabled: '/backup-codes' };

/** Any step out of turn, and any form sent twice, leads to the furthest page that the ceremony has reached. */
function furthest(visit: Visit, { door }: HalfSignedIn, reached: Ceremony): Response {
  return visit.see(`${door.base}/enable-mfa${PAGE_OF[reached.step]}`);
}

export type Page = (visit: Visit, half: HalfSignedIn) => Promise<Response>;

/** A page or act of one step; reached at any other, it answers with the page that is due. */
export function at<Step extends Ceremony['step']>(
  step: Step,
  answer: (visit: Visit, half: HalfSignedIn, now: Extract<Ceremony, { step: Step }>) => Promise<Response> | Response,
): Page {
  return async (visit, half) => {
    const current = await ceremony(visit.installation, half.challenge);
    return current.step === step
      ? answer(visit, half, current as Extract<Ceremony, { step: Step }>)
      : furthest(visit, half, current);
  };
}

/** To the furthest page that the ceremony has reached. */
export async function goOn(visit: Visit, half: HalfSignedIn): Promise<Response> {
  return furthest(visit, half, await ceremony(visit.installation, half.challenge));
}

/** GET /enable-mfa (E1) */
export const start = at('start', async (visit, half, { ended }) => {
  const resetAt = toldOfReset(half.challenge.account, visit.now);
  return visit.page(startPage(half, resetAt, ended, await wayRound(visit, half)));
});

// Whoever has come from inside goes back there; a grace says until when Set up later may be pressed; else there is none.
export async function wayRound(visit: Visit, { door, challenge }: HalfSignedIn): Promise<WayRound> {
  const { laterUntil, account } = challenge;
  if (laterUntil !== null && visit.now < laterUntil) return { kind: 'later', until: laterUntil };
  const inside = door.surface === 'portal' && (await signedIn(visit, door))?.session.account.id === account.id;
  return inside ? { kind: 'home' } : undefined;
}

/** POST /enable-mfa/later: Set up later, and Not now. Where nothing offers it, or not any more, the ceremony goes on. */
export const later: Page = async (visit, half) => {
  await visit.form();
  const { surface, base } = half.door;
  const cookie = await setUpLater(visit.installation, half.challenge, visit.visitor, visit.sessionCookie(surface));
  if (cookie === undefined) return goOn(visit, half);
  visit.signIn(surface, cookie);
  return visit.see(`${base}/home`);
};

/** POST /enable-mfa: Configure. */
export const configure: Page = async (visit, half) => {
  await visit.form();
  await offer(visit.installation, half.challenge, visit.visitor);
  return goOn(visit, half);
};

/** GET /enable-mfa/scan (E2) */
export const scan = at('offered', async (visit, half, { pending }) => {
  const uri = await otpauthUri(visit.installation, half.challenge.account, pending);
  return visit.page(scanPage(half, pending, uri, visit.visitor.userAgent));
});

/** GET /enable-mfa/qr.svg: an image of its own, never cached, so that password managers offer to read it (R11). */
export const qr = at('offered', async (visit, { challenge }, { pending }) => {
  const uri = await otpauthUri(visit.installation, challenge.account, pending);
  return visit.text(renderSVG(uri, { ecc: 'M', border: 4 }), 'image/svg+xml');
});

/** GET /enable-mfa/verify (E3) */
export const verify = at('offered', async (visit, half, { pending }) =>
  visit.page(await verifying(visit, half, pending, [])),
);

/** POST /enable-mfa/verify: Verify. Activates nothing. */
export const prove = at('offered', async (visit, half, { pending }) => {
  const { installation, visitor } = visit;
  const { code } = await visit.form('code');
  const input = readCode(code);
  const refuse = async (text: string, still = false): Promise<Response> =>
    visit.page(await verifying(visit, half, pending, [{ field: 'code', text }], still), 422);
  if (input.kind !== 'totp') return refuse(setupCodeShape(input));
  const verified = await verifyEnrolment(installation, half.challenge, input.code, visitor);
  switch (verified.kind) {
    case 'proven':
    case 'out-of-turn':
      return goOn(visit, half);
    case 'wrong':
      return refuse(say('mfa.setup.wrong'), verified.triesUsed >= SCAN_AGAIN_AFTER_WRONG);
    case 'clock-behind': {
      const text = sayAt(half.door, 'mfa.setup.paused');
      return visit.unavailable(await verifying(visit, half, pending, [{ field: 'code', text }]));
    }
    case 'clock':
      return refuse(say('mfa.setup.clock', { n: verified.minutes, way: verified.direction }));
  }
});

async function verifying(
  visit: Visit,
  half: HalfSignedIn,
  pending: Pending,
  errors: readonly Problem[],
  still = false,
): Promise<ReturnType<typeof verifyPage>> {
  const extra = await visit.house.pageExtra?.(half.challenge.account, 'pending');
  return verifyPage(half, pending, errors, still, extra);
}

/** GET /enable-mfa/enable (E4) */
export const lastStep = at('proven', async (visit, half) => visit.page(enablePage(half, await wayRound(visit, half))));

/** POST /enable-mfa/enable: Enable MFA. Begun inside, the ceremony ends here, at the sign-in page as any other (E6). */
export const turnOn = at('proven', async (visit, half) => {
  const { door, challenge } = half;
  await visit.form();
  const enabled = await enable(visit.installation, challenge, visit.visitor);
  if (!enabled) return visit.see(`${door.base}/enable-mfa`);
  if (!challenge.inside) return visit.see(`${door.base}/enable-mfa/backup-codes`);
  const key = challenge.inside.aim === 'another' ? 'mfa.another.done' : 'mfa.replacement.done';
  const text = say(key, { m: door.organization.name });
  visit.signOut(door.surface);
  visit.leave(door.surface, { kind: 'ok', text, email: challenge.account.email });
  return visit.see(`${door.base}/sign-in`);
});

/** POST /enable-mfa/cancel: out of a ceremony that was begun inside. Its secret is never active. */
export const cancel: Page = async (visit, half) => {
  await visit.form();
  if (!half.challenge.inside) return goOn(visit, half);
  await leaveChallenge(visit.installation, half.challenge);
  visit.forgetChallenge(half.door.surface);
  return visit.see(`${half.door.base}/security`);
};

/** GET /enable-mfa/backup-codes (E5) */
export const codes = at('enabled', (visit, half, { codes: shown }) =>
  visit.page(shown ? codesPage(visit, half, shown) : offerCodesPage(half.door)),
);

/** POST /enable-mfa/backup-codes: Generate Backup Codes. Pressed twice, it shows the same five. */
export const generate = at('enabled', async (visit, half) => {
  await visit.form();
  await generateCodes(visit.installation, half.challenge, visit.visitor);
  return goOn(visit, half);
});

/** POST /enable-mfa/backup-codes/download: the same five as a file, without script too. */
export const download = at('enabled', async (visit, half, { codes: shown }) => {
  await visit.form();
  if (!shown) return goOn(visit, half);
  const { name, text } = codesFile(visit, half.door, half.challenge.account, shown);
  return visit.text(text, 'text/plain; charset=utf-8', name);
});

/** POST /enable-mfa/done: Continue to Sign In (E6), not into a session; new codes were made inside one, and it goes on. */
export const done = at('enabled', async (visit, { door, challenge }) => {
  await visit.form();
  await leaveChallenge(visit.installation, challenge);
  visit.forgetChallenge(door.surface);
  if (challenge.inside) {
    visit.leave(door.surface, { kind: 'ok', text: say('sec.codes.done', { n: CODES_PER_SET }) });
    return visit.see(`${door.base}/security`);
  }
  visit.leave(door.surface, { kind: 'ok', text: say('mfa.done.text'), email: challenge.account.email });
  return visit.see(`${door.base}/sign-in`);
});
