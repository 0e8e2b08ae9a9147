/** The two browsers of the one person whom the model knows. */
export type Browser = 'phone' | 'laptop';
export type Typed = 'totp' | 'backup-code';
export type Policy = 'off' | 'optional' | 'required';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WAITS_MS = [30_000, MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS];

interface Challenge {
  purpose: 'sign-in' | 'enrolment' | 'backup-codes';
  epoch: number;
  attemptsLeft: number;
  openedAt: number;
  expiresAt: number;
  over: boolean;
  shown: boolean;
}

interface Session {
  by: Typed | 'password' | 'trusted-device';
  signedInAt: number;
  epoch: number;
  expiresAt: number;
  lastUsedAt: number;
  over: boolean;
}

/** A browser that is not asked for a code. Its value is another after every use; numbers stand for them here. */
interface Device {
  epoch: number;
  until: number;
  over: boolean;
  value: number;
  previous: number | null;
  usedAt: number;
}

/**
 * One contact's account as product.md and security.md tell it: no SQL, no HTTP, no secret. Each method is something a
 * person can do; it answers where that leads, a page or a refusal, and moves the state. Time steps come as numbers.
 */
export class Contact {
  now = 0;
  policy: Policy = 'off';
  hasPassword = true;
  hasAccess = true;
  epoch = 0;
  authenticator: { lastStep: number } | null = null;
  codes: { set: number; unused: Set<number> } | null = null;
  setsMade = 0;
  wrong = { totp: 0, 'backup-code': 0 };
  waitUntil = { totp: 0, 'backup-code': 0 };
  window = { wrong: 0, startedAt: 0 };
  suspected = false;
  pending: { challenge: Challenge; triesLeft: number; proven: number | null } | null = null;
  challenges: Challenge[] = [];
  devices: Device[] = [];
  values = 0;
  browsers: Record<Browser, { challenge?: Challenge; session?: Session; carried?: { device: Device; value: number } }> =
    {
      phone: {},
      laptop: {},
    };

  /** P3, S1, I20. The oldest of more than three open challenges is dropped. */
  signIn(at: Browser, rightPassword: boolean): string {
    if (!rightPassword || !this.hasPassword || !this.hasAccess) return '422';
    if (this.suspected) return '403';
    if (!this.authenticator && this.policy !== 'required') return this.#goIn(at, 'password', '/home');
    if (this.authenticator && this.#isTrusted(at)) return this.#goIn(at, 'trusted-device', '/home');
    const purpose = this.authenticator ? 'sign-in' : 'enrolment';
    this.browsers[at].challenge = this.#opened(purpose);
    return purpose === 'sign-in' ? '/verify' : '/enable-mfa';
  }

  /** I1: a step at most once and never after a later one. `steps` are those of the window that the code is right for. */
  answerWithCode(at: Browser, steps: readonly number[], trusting = false): string {
    const led = this.#answer(at, 'totp', () => {
      if (!this.authenticator || steps.length === 0) return 'wrong';
      const fresh = steps.find((step) => step > this.authenticator!.lastStep);
      if (fresh === undefined) return 'used';
      this.authenticator.lastStep = fresh;
      return 'right';
    });
    if (led === '/home' && trusting) this.#trust(at);
    return led;
  }

  // Another value, whatever the browser carried; ten devices at most.
  #trust(at: Browser): void {
    const { now, epoch } = this;
    const before = this.browsers[at].carried;
    if (before) before.device.over = true;
    const value = this.values++;
    const device = { epoch, until: now + 30 * DAY_MS, over: false, value, previous: null, usedAt: now };
    this.devices = [...this.devices.filter(({ over }) => !over), device];
    for (const oldest of this.devices.splice(0, this.devices.length - 10)) oldest.over = true;
    this.browsers[at].carried = { device, value };
  }

  // An old value ends the device and what devices have opened, but for the last one within a minute.
  #isTrusted(at: Browser): boolean {
    const { device, value } = this.browsers[at].carried ?? {};
    if (!device || device.over || device.epoch !== this.epoch || device.until <= this.now) return false;
    if (value === device.value) {
      Object.assign(device, { previous: value, value: this.values++, usedAt: this.now });
      this.browsers[at].carried = { device, value: device.value };
      return true;
    }
    if (value === device.previous && this.now - device.usedAt < MINUTE_MS) return false;
    device.over = true;
    for (const { session } of Object.values(this.browsers)) if (session?.by === 'trusted-device') session.over = true;
    return false;
  }

  /** Eve makes a copy of what the phone keeps, in the laptop. */
  copyDevice(): void {
    this.browsers.laptop.carried = { ...this.browsers.phone.carried! };
  }

  /** How many devices would not be asked for a code. */
  get trusted(): number {
    return this.devices.filter(({ over, epoch, until }) => !over && epoch === this.epoch && until > this.now).length;
  }

  /** I3, I4: each code of the active set once; undefined is no code of any set. */
  answerWithBackupCode(at: Browser, set: number, code: number | undefined): string {
    return this.#answer(at, 'backup-code', () =>
      code !== undefined && this.codes?.set === set && this.codes.unused.delete(code) ? 'right' : 'wrong',
    );
  }

  // I5, I6, I7: nothing is looked at while a wait holds; an attempt once spent stays spent.
  #answer(at: Browser, typed: Typed, look: () => 'right' | 'used' | 'wrong'): string {
    const challenge = this.#admitted(at, ['sign-in'], '/enable-mfa');
    if (typeof challenge === 'string') return challenge;
    if (this.suspected) return this.#turnedAway(at, '403');
    if (this.waitUntil[typed] > this.now) return '429';
    challenge.attemptsLeft--;
    const found = look();
    if (found === 'right') {
      challenge.over = true;
      this.#forgetWrongInARow();
      return this.#goIn(at, typed, typed === 'totp' ? '/home' : '/backup-code-used');
    }
    if (found === 'wrong') this.#countWrong(typed);
    if (this.suspected) return this.#turnedAway(at, '403');
    return challenge.attemptsLeft === 0 ? this.#turnedAway(at, '/sign-in') : `422 ${found}`;
  }

  #countWrong(typed: Typed): void {
    const over = this.window.wrong === 0 || this.window.startedAt <= this.now - 30 * DAY_MS;
    this.window = over
      ? { wrong: 1, startedAt: this.now }
      : { wrong: this.window.wrong + 1, startedAt: this.window.startedAt };
    const inARow = ++this.wrong[typed];
    this.waitUntil[typed] = inARow < 5 ? 0 : this.now + (WAITS_MS[inARow - 5] ?? HOUR_MS);
    this.suspected = this.wrong.totp + this.wrong['backup-code'] >= 20 || this.window.wrong >= 50;
  }

  /** E2, I10: one pending enrolment, bound to its ceremony; a ceremony that has one keeps it. */
  configure(at: Browser): string {
    const challenge = this.#enrolling(at);
    if (typeof challenge === 'string') return challenge;
    if (this.#step(challenge) === '/enable-mfa') this.pending = { challenge, triesLeft: 20, proven: null };
    return this.#step(challenge);
  }

  /** E3: activates nothing, and a wrong code keeps the same secret. */
  verify(at: Browser, steps: readonly number[]): string {
    const challenge = this.#enrolling(at);
    if (typeof challenge === 'string') return challenge;
    if (this.#step(challenge) !== '/enable-mfa/scan' || !this.pending) return this.#step(challenge);
    this.pending.triesLeft--;
    this.pending.proven = steps.at(-1) ?? null;
    return this.pending.proven === null ? '422' : this.#step(challenge);
  }

  /** E4, I2: the proven step is used up; whatever carries the epoch before is void but the ceremony's own challenge. */
  enable(at: Browser): string {
    const challenge = this.#enrolling(at);
    if (typeof challenge === 'string') return challenge;
    if (this.#step(challenge) !== '/enable-mfa/enable') return this.#step(challenge);
    this.authenticator = { lastStep: this.pending?.proven ?? 0 };
    this.pending = null;
    this.epoch++;
    Object.assign(challenge, { purpose: 'backup-codes', epoch: this.epoch, expiresAt: this.now + 10 * MINUTE_MS });
    return this.#step(challenge);
  }

  /** E5: five, and the same five until the ceremony ends. */
  generateCodes(at: Browser): string {
    const challenge = this.#enrolling(at);
    if (typeof challenge === 'string') return challenge;
    if (challenge.purpose === 'backup-codes' && !challenge.shown) {
      this.codes = { set: this.setsMade++, unused: new Set([0, 1, 2, 3, 4]) };
      challenge.shown = true;
    }
    return this.#step(challenge);
  }

  /** E6: ends at the sign-in page. */
  continueToSignIn(at: Browser): string {
    const challenge = this.#enrolling(at);
    if (typeof challenge === 'string') return challenge;
    if (challenge.purpose !== 'backup-codes') return this.#step(challenge);
    challenge.over = true;
    return this.#turnedAway(at, '/sign-in');
  }

  /** Looks at the page behind both doors. Who was idle too long is told so, and loses both cookies. */
  lookIn(at: Browser): string {
    const { session } = this.browsers[at];
    if (session && this.isAlive(session)) {
      if (this.now - session.lastUsedAt >= MINUTE_MS) session.lastUsedAt = this.now;
      return '200';
    }
    if (session && !session.over && session.epoch === this.epoch && this.hasAccess && this.#isIdle(session))
      this.#keepOnlyDevice(at);
    return '/sign-in';
  }

  signOut(at: Browser): string {
    const { session, challenge } = this.browsers[at];
    if (session) session.over = true;
    if (challenge && this.death(challenge) === undefined) challenge.over = true;
    this.#keepOnlyDevice(at);
    return '/sign-in';
  }

  /** C16, I10, I14: from Replace to the last button; the step that proved the new app is used up. Codes stay. */
  replaceApp(at: Browser, proven: number | undefined): string {
    if (this.lookIn(at) !== '200') return '/sign-in';
    if (!this.#isFresh(at, ['totp', 'backup-code'])) return '/confirm';
    if (this.suspected || proven === undefined) return '/security';
    this.#raiseEpoch();
    this.authenticator = { lastStep: proven };
    this.browsers[at] = {};
    return '/sign-in';
  }

  /** C15, I4: a new set, shown once; from Get new codes to Continue. Nothing else ends. */
  getNewCodes(at: Browser): string {
    if (this.lookIn(at) !== '200') return '/sign-in';
    if (!this.#isFresh(at, ['totp', 'backup-code'])) return '/confirm';
    if (this.suspected) return '/security';
    this.#opened('backup-codes').over = true;
    this.codes = { set: this.setsMade++, unused: new Set([0, 1, 2, 3, 4]) };
    delete this.browsers[at].challenge;
    return '/security';
  }

  /** C16: only where the policy does not ask for MFA, and by the app alone. */
  turnMfaOff(at: Browser): string {
    if (this.lookIn(at) !== '200') return '/sign-in';
    if (this.policy === 'required') return '/security';
    if (!this.#isFresh(at, ['totp'])) return '/confirm';
    this.#raiseEpoch();
    this.authenticator = null;
    this.codes = null;
    this.browsers[at] = {};
    return '/sign-in';
  }

  /** C17: every session but this one. */
  signOutElsewhere(at: Browser): string {
    if (this.lookIn(at) !== '200') return '/sign-in';
    for (const [where, { session }] of Object.entries(this.browsers)) if (where !== at && session) session.over = true;
    return '/security/sessions';
  }

  #isFresh(at: Browser, ways: readonly Session['by'][]): boolean {
    const { session } = this.browsers[at];
    return session !== undefined && ways.includes(session.by) && this.now - session.signedInAt <= 10 * MINUTE_MS;
  }

  // The oldest of more than three open ones is dropped.
  #opened(purpose: Challenge['purpose']): Challenge {
    const { now: openedAt, epoch } = this;
    const expiresAt = openedAt + (purpose === 'enrolment' ? 30 : 10) * MINUTE_MS;
    const opened: Challenge = { purpose, epoch, attemptsLeft: 5, openedAt, expiresAt, over: false, shown: false };
    this.challenges = [...this.challenges.filter((one) => !one.over && one.expiresAt > this.now), opened];
    for (const dropped of this.challenges.splice(0, this.challenges.length - 3)) dropped.over = true;
    return opened;
  }

  /** R2: in one act, all of it. The stolen-password state stays. */
  reset(): string {
    if (!this.authenticator) return 'no-mfa';
    this.#raiseEpoch();
    this.authenticator = null;
    this.codes = null;
    this.#forgetWrongInARow();
    return 'reset';
  }

  setPassword(): void {
    this.#raiseEpoch();
    this.hasPassword = true;
    this.#trustPassword();
  }

  /** A password that is held to be stolen is not trusted again by it: it is removed. */
  unlock(): string {
    if (this.suspected) {
      this.#raiseEpoch();
      this.hasPassword = false;
      this.#trustPassword();
      return 'password-removed';
    }
    if (Math.max(this.waitUntil.totp, this.waitUntil['backup-code']) <= this.now) return 'not-locked';
    this.#forgetWrongInARow();
    return 'waits-ended';
  }

  setAccess(open: boolean): void {
    if (open === this.hasAccess) return;
    this.#raiseEpoch();
    this.hasAccess = open;
  }

  /** Why a challenge is dead, or undefined. */
  death(challenge: Challenge): string | undefined {
    if (challenge.epoch !== this.epoch || !this.hasAccess) return 'void';
    if (challenge.over) return 'over';
    if (challenge.attemptsLeft === 0) return 'exhausted';
    return challenge.expiresAt <= this.now ? 'expired' : undefined;
  }

  isAlive(session: Session): boolean {
    const { over, epoch, expiresAt } = session;
    return !over && epoch === this.epoch && this.hasAccess && expiresAt > this.now && !this.#isIdle(session);
  }

  #isIdle({ lastUsedAt }: Session): boolean {
    return lastUsedAt <= this.now - 30 * MINUTE_MS;
  }

  #enrolling(at: Browser): Challenge | string {
    return this.#admitted(at, ['enrolment', 'backup-codes'], '/verify');
  }

  // The half-signed-in state opens its own pages alone (I11).
  #admitted(at: Browser, purposes: readonly Challenge['purpose'][], otherwise: string): Challenge | string {
    const { challenge } = this.browsers[at];
    if (!challenge || this.death(challenge) !== undefined) return this.#turnedAway(at, '/sign-in');
    return purposes.includes(challenge.purpose) ? challenge : otherwise;
  }

  #turnedAway(at: Browser, to: string): string {
    delete this.browsers[at].challenge;
    return to;
  }

  // Any step out of turn leads to the furthest one reached.
  #step(challenge: Challenge): string {
    if (challenge.purpose === 'backup-codes') return '/enable-mfa/backup-codes';
    const own = this.pending?.challenge === challenge ? this.pending : null;
    if (own && own.proven !== null) return '/enable-mfa/enable';
    return own && own.triesLeft > 0 ? '/enable-mfa/scan' : '/enable-mfa';
  }

  // The session that the browser had before ends with it (I8, I11, I23).
  #goIn(at: Browser, by: Session['by'], page: string): string {
    const before = this.browsers[at].session;
    if (before) before.over = true;
    const expiresAt = this.now + 12 * HOUR_MS;
    const { now: signedInAt, epoch } = this;
    this.#keepOnlyDevice(at);
    this.browsers[at].session = { by, signedInAt, epoch, expiresAt, lastUsedAt: signedInAt, over: false };
    return page;
  }

  #keepOnlyDevice(at: Browser): void {
    const { carried } = this.browsers[at];
    this.browsers[at] = carried ? { carried } : {};
  }

  // I12: whatever carries an older epoch is void.
  #raiseEpoch(): void {
    this.epoch++;
    this.pending = null;
    for (const challenge of this.challenges) challenge.over = true;
  }

  #forgetWrongInARow(): void {
    this.wrong = { totp: 0, 'backup-code': 0 };
    this.waitUntil = { totp: 0, 'backup-code': 0 };
  }

  #trustPassword(): void {
    this.#forgetWrongInARow();
    this.suspected = false;
    this.window = { wrong: 0, startedAt: 0 };
  }
}
