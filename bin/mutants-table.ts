/** What is deleted: a text that stands in a file exactly once. `replace` keeps what around it is not to go. */
export interface Deletion {
  readonly file: string;
  readonly find: string;
  readonly replace?: string;
}

/** A deletion that breaks an invariant of docs/sign-in.md, and the files with the sentences that should notice. */
export interface Mutant extends Deletion {
  readonly invariant: string;
  readonly tests: readonly string[];
  /** What else holds it, where no sentence can notice that this alone is gone. With these gone too, one must. */
  readonly otherGuards?: readonly Deletion[];
}

const SCHEMA = 'migrations/0001_initial.sql';
const AUDIT = 'src/accounts/audit.ts';
const AUDIT_CHAIN = 'src/accounts/audit-chain.ts';
const AUDIT_VERIFY = 'src/accounts/audit-verify.ts';
const LEASES = 'src/accounts/leases.ts';
const EPOCH = 'src/accounts/epoch.ts';
const KEYS = 'src/accounts/keys.ts';
const ACCESS = 'src/auth/access.ts';
const ANSWER = 'src/auth/answer.ts';
const CHALLENGES = 'src/auth/challenges.ts';
const CEREMONY_CODES = 'src/auth/ceremony-codes.ts';
const ENROLMENT = 'src/auth/enrolment.ts';
const AUTHENTICATORS = 'src/auth/authenticators.ts';
const MFA_OFF = 'src/auth/mfa-off.ts';
const NEW_CODES = 'src/auth/new-codes.ts';
const BACKUP_CODES = 'src/auth/factors/backup-codes.ts';
const TOTP = 'src/auth/factors/totp.ts';
const PASSKEY = 'src/auth/factors/passkey.ts';
const PASSKEY_CEREMONIES = 'src/auth/passkey-ceremonies.ts';
const PASSKEY_SIGN_IN = 'src/auth/passkey-sign-in.ts';
const FRESH_PROOF = 'src/auth/fresh-proof.ts';
const CLOCK = 'src/accounts/clock.ts';
const COUNTERS = 'src/auth/counters.ts';
const LIMITS = 'src/auth/limits.ts';
const PASSWORDS = 'src/auth/passwords.ts';
const GRACE = 'src/auth/grace.ts';
const POLICY = 'src/auth/policy.ts';
const ROTATION = 'src/auth/rotation.ts';
const RECOVERY = 'src/auth/recovery.ts';
const RECOVERY_REQUESTS = 'src/auth/recovery-requests.ts';
const SIGN_IN_CODES = 'src/auth/sign-in-codes.ts';
const TEAM = 'src/auth/team.ts';
const SESSIONS = 'src/auth/sessions.ts';
const SIGN_IN = 'src/auth/sign-in.ts';
const SEAL = 'src/crypto/seal.ts';
const TOKENS = 'src/crypto/tokens.ts';
const CLIENT_IP = 'src/web/client-ip.ts';
const FORMS = 'src/web/forms.ts';
const GUARDS = 'src/web/guards.ts';
const DEVICES = 'src/auth/trusted-devices.ts';

// Deletions that are also another one's second guard.
const ACTIVE_IN_UPDATE: Deletion = {
  file: TOTP,
  find: 'AND id = ${id} AND enabled_at IS NOT NULL AND revoked_at IS NULL',
  replace: 'AND id = ${id} AND revoked_at IS NULL',
};
const ACTIVE_IN_SELECT: Deletion = {
  file: TOTP,
  find: 'enabled_at IS NOT NULL AND revoked_at IS NULL ORDER BY id',
  replace: 'revoked_at IS NULL ORDER BY id',
};
const OLD_SET_REVOKED: Deletion = { file: BACKUP_CODES, find: 'await revokeSet(tx, account, now);' };
const OTHERS_REVOKED: Deletion = {
  file: ENROLMENT,
  find: `  await tx.run(sql\`UPDATE authenticators SET revoked_at = \${now}, secret = NULL WHERE organization_id = \${organizationId}
    AND account_id = \${accountId} AND enabled_at IS NULL AND revoked_at IS NULL\`);`,
};
const OPEN_TO_SPEND: Deletion = {
  file: CHALLENGES,
  find: 'AND consumed_at IS NULL AND expires_at > ${now} AND attempts_left > 0',
  replace: 'AND expires_at > ${now} AND attempts_left > 0',
};
const OPEN_TO_CONSUME: Deletion = {
  file: CHALLENGES,
  find: 'AND id = ${challenge.id} AND consumed_at IS NULL`',
  replace: 'AND id = ${challenge.id}`',
};
const EPOCH_OF_CHALLENGE: Deletion = { file: CHALLENGES, find: 'challengeEpoch !== account.epoch || ' };
const LOCK_OF_FRESH_PROOF: Deletion = {
  file: FRESH_PROOF,
  find: '    if (!(await lockAtEpoch(tx, account, account.epoch))) return new RolledBack(undefined);\n',
};
const EPOCH_OF_ATTEMPT: Deletion = { file: CHALLENGES, find: ' AND epoch = ${challenge.epoch}' };
const EPOCH_OF_ANSWER: Deletion = { file: LIMITS, find: ' AND epoch = ${whose.epoch}' };
const EPOCH_OF_SESSION: Deletion = {
  file: SESSIONS,
  find: 'AND s.epoch = a.epoch AND a.disabled_at IS NULL`;',
  replace: 'AND a.disabled_at IS NULL`;',
};
const PLACE_OF_SEAL: Deletion = { file: SEAL, find: '[keyId, ...place]', replace: '[keyId]' };

const LOST_BATCH: Deletion = {
  file: AUDIT_CHAIN,
  find: '    if ((await insert(tx, links)) < links.length) return new RolledBack<Action[]>([]);\n',
  replace: '    await insert(tx, links);\n',
};
const HELP_TESTS = ['test/auth/asking-for-help.test.ts'];
const SIGN_IN_CODE_TESTS = ['test/auth/sign-in-codes.test.ts'];

const TOTP_TEST = ['test/auth/factors/totp.test.ts'];
const BACKUP_CODES_TEST = ['test/auth/factors/backup-codes.test.ts'];
const CHALLENGES_TEST = ['test/auth/challenges.test.ts'];
const ENROLMENT_TEST = ['test/auth/enrolment.test.ts'];
const AUTHENTICATORS_TEST = ['test/auth/authenticators.test.ts'];
const MFA_OFF_TEST = ['test/auth/mfa-off.test.ts'];
const NEW_CODES_TEST = ['test/auth/new-codes.test.ts'];
const LIMITS_TEST = ['test/auth/limits.test.ts'];
const WINDOWS_TEST = [...LIMITS_TEST, 'test/auth/limits-windows.test.ts'];
const CODES_TEST = ['test/auth/wrong-codes.test.ts', 'test/auth/wrong-codes-windows.test.ts'];
const ATTACKER_TEST = ['test/auth/attacker.test.ts'];
const PROXIES_TEST = ['test/web/client-ip.test.ts', 'test/surface/proxies.test.ts'];
const SESSIONS_TEST = ['test/auth/sessions.test.ts'];
const ROTATION_TEST = ['test/auth/rotation.test.ts'];
const SIGN_IN_TEST = ['test/auth/sign-in.test.ts'];
const GRACE_TEST = ['test/auth/grace.test.ts'];
const POLICY_TEST = ['test/auth/policy.test.ts'];
const PUTTING_OFF_TEST = ['test/attacks/putting-off.test.ts'];
const PASSWORDS_TEST = ['test/auth/passwords.test.ts'];
const PASSKEYS_TEST = ['test/auth/passkeys.test.ts'];
const RECOVERY_TEST = ['test/auth/recovery.test.ts'];
const TEAM_TEST = ['test/auth/team.test.ts'];
const ANSWER_TEST = ['test/auth/answer.test.ts'];
const CLOCK_TEST = ['test/auth/clock.test.ts'];
const IMPORT_TEST = ['test/import/import.test.ts'];
const AUDIT_CHAIN_TEST = ['test/accounts/audit-chain.test.ts'];
const AUDIT_VERIFY_TEST = ['test/accounts/audit-verify.test.ts'];
const FRESH_PROOF_TEST = ['test/auth/fresh-proof.test.ts'];
const DEVICES_TEST = ['test/auth/trusted-devices.test.ts'];
const DEVICES_END_TEST = ['test/auth/trusted-devices-end.test.ts'];
const HELD_BACK_TEST = ['test/attacks/held-back.test.ts'];

export const MUTANTS: readonly Mutant[] = [
  {
    invariant: 'I1',
    file: 'src/auth/imported.ts',
    find: '  const step = timeStep(now);',
    replace: '  const step = timeStep(now) - 9;',
    tests: IMPORT_TEST,
  },
  { invariant: 'I1', file: TOTP, find: ' AND last_step < ${fresh}', tests: TOTP_TEST },
  {
    invariant: 'I2',
    file: SCHEMA,
    find: ',\n  CHECK (enabled_at IS NULL OR (proven_step IS NOT NULL AND last_step >= proven_step))',
    otherGuards: [{ file: ENROLMENT, find: ', last_step = proven_step' }],
    tests: TOTP_TEST,
  },
  { invariant: 'I3', file: BACKUP_CODES, find: ' AND used_at IS NULL', tests: BACKUP_CODES_TEST },
  {
    invariant: 'I4',
    file: BACKUP_CODES,
    find: 'AND s.revoked_at IS NULL ORDER BY c.id',
    replace: 'ORDER BY c.id',
    tests: BACKUP_CODES_TEST,
  },
  { invariant: 'I4', ...OLD_SET_REVOKED, tests: BACKUP_CODES_TEST },
  {
    invariant: 'I4',
    file: SCHEMA,
    find: 'CREATE UNIQUE INDEX backup_code_sets_one_active ON backup_code_sets (organization_id, account_id)\n  WHERE revoked_at IS NULL;',
    otherGuards: [OLD_SET_REVOKED],
    tests: BACKUP_CODES_TEST,
  },
  {
    invariant: 'I4',
    file: CEREMONY_CODES,
    find: '    const shown = await shownCodes(tx, installation, challenge);\n    if (shown) return shown;\n',
    tests: ['test/races/enrolment.test.ts'],
  },
  { invariant: 'I5', file: CHALLENGES, find: ' AND attempts_left > 0', tests: CHALLENGES_TEST },
  {
    invariant: 'I5',
    file: CHALLENGES,
    find: 'SET attempts_left = attempts_left - 1',
    replace: 'SET attempts_left = attempts_left',
    tests: CHALLENGES_TEST,
  },
  {
    invariant: 'I5',
    file: CHALLENGES,
    find: "  if (attemptsLeft === 0) return dead('exhausted');\n",
    tests: CHALLENGES_TEST,
  },
  {
    invariant: 'I6',
    file: LIMITS,
    find: 'SET ${wrong} = ${wrong} + 1,',
    replace: 'SET ${wrong} = ${wrong},',
    tests: CODES_TEST,
  },
  {
    invariant: 'I6',
    file: LIMITS,
    find: 'wait === 0 ? 0 : now + wait;',
    replace: '0;',
    tests: CODES_TEST,
  },
  {
    invariant: 'I6',
    file: LIMITS,
    find: ' AND suspected_at IS NULL',
    otherGuards: [{ file: ANSWER, find: "  if (suspectedAt !== null) return { kind: 'suspected' };\n" }],
    tests: CODES_TEST,
  },
  {
    invariant: 'I5',
    file: CHALLENGES,
    find: ' ORDER BY id DESC LIMIT ${OPEN_CHALLENGES_PER_ACCOUNT - 1}',
    tests: CHALLENGES_TEST,
  },
  // The windows of the counters.
  { invariant: 'I6', file: COUNTERS, find: ' OR counters.started_at <= ${now - windowMs}', tests: WINDOWS_TEST },
  {
    invariant: 'I6',
    file: COUNTERS,
    find: 'sql`WHERE counters.spent < ${allows} OR counters.started_at <= ${now - windowMs}`',
    replace: 'sql``',
    tests: WINDOWS_TEST,
  },
  {
    invariant: 'I6',
    file: COUNTERS,
    find: 'CASE WHEN ${over} THEN 1 ELSE counters.spent + 1 END',
    replace: 'counters.spent + 1',
    tests: WINDOWS_TEST,
  },
  {
    invariant: 'I6',
    file: COUNTERS,
    find: 'CASE WHEN ${over} THEN excluded.started_at ELSE counters.started_at END',
    replace: 'counters.started_at',
    tests: WINDOWS_TEST,
  },
  {
    invariant: 'I6',
    file: COUNTERS,
    find: 'CASE WHEN ${over} THEN excluded.started_at ELSE counters.started_at END',
    replace: 'excluded.started_at',
    tests: WINDOWS_TEST,
  },
  {
    invariant: 'I6',
    file: COUNTERS,
    find: 'counters.started_at <= ${now - limit.windowMs}',
    replace: 'counters.started_at < ${now - limit.windowMs}',
    tests: WINDOWS_TEST,
  },
  { invariant: 'I6', file: COUNTERS, find: '\n      AND started_at = ${startedAt}', tests: LIMITS_TEST },
  { invariant: 'I6', file: COUNTERS, find: ' AND spent > 0', tests: LIMITS_TEST },
  {
    invariant: 'I6',
    file: ANSWER,
    find: "new Set(['wrong', 'already-used', 'suspected'])",
    replace: 'new Set([])',
    tests: WINDOWS_TEST,
  },
  {
    invariant: 'I6',
    file: ANSWER,
    find: '    if (!answered || !FAILURES.has(answered.kind)) await counters.giveBack(db, [room.spent]);\n',
    tests: CODES_TEST,
  },
  {
    invariant: 'I6',
    file: ANSWER,
    find: 'answering.visitor.network',
    replace: 'answering.visitor.address',
    tests: PROXIES_TEST,
  },
  // The counts of an account.
  {
    invariant: 'I6',
    file: LIMITS,
    find: 'CASE WHEN ${over} THEN 1 ELSE window_wrong + 1 END',
    replace: 'window_wrong + 1',
    tests: CODES_TEST,
  },
  {
    invariant: 'I6',
    file: LIMITS,
    find: 'CASE WHEN ${over} THEN ${bigint(now)} ELSE window_started_at END',
    replace: '${bigint(now)}',
    tests: CODES_TEST,
  },
  {
    invariant: 'I6',
    file: LIMITS,
    find: 'window_started_at <= ${now - WRONG_WINDOW_MS}',
    replace: 'window_started_at < ${now - WRONG_WINDOW_MS}',
    tests: CODES_TEST,
  },
  {
    invariant: 'I6',
    file: LIMITS,
    find: 'totp_wrong + backup_wrong AS "wrongInARow"',
    replace: '${wrong} AS "wrongInARow"',
    tests: ATTACKER_TEST,
  },
  {
    invariant: 'I6',
    file: LIMITS,
    find: 'passwordIsSuspected(counted.wrongInARow, counted.wrongInWindow)',
    replace: 'passwordIsSuspected(counted.wrongInARow, 0)',
    tests: CODES_TEST,
  },
  {
    invariant: 'I6',
    file: LIMITS,
    find: 'passwordIsSuspected(counted.wrongInARow, counted.wrongInWindow)',
    replace: 'passwordIsSuspected(0, counted.wrongInWindow)',
    tests: CODES_TEST,
  },
  {
    invariant: 'I6',
    file: LIMITS,
    find: '${wrong} = ${wrong} - 1, ${uncounted()}',
    replace: '${wrong} = ${wrong} - 1',
    tests: CODES_TEST,
  },
  {
    invariant: 'I6',
    file: LIMITS,
    find: '${wrong} = ${wrong} - 1, ${uncounted()}',
    replace: '${uncounted()}',
    tests: CODES_TEST,
  },
  {
    invariant: 'I6',
    file: LIMITS,
    find: '${NO_WAITS}, ${uncounted()} WHERE',
    replace: '${uncounted()} WHERE',
    tests: CODES_TEST,
  },
  {
    invariant: 'I6',
    file: LIMITS,
    find: '${NO_WAITS}, ${uncounted()} WHERE',
    replace: '${NO_WAITS} WHERE',
    tests: CODES_TEST,
  },
  {
    invariant: 'I6',
    file: LIMITS,
    find: '${NO_WAITS}, ${uncounted()} WHERE',
    replace: '${NO_COUNTS} WHERE',
    tests: CODES_TEST,
  },
  {
    invariant: 'I6',
    file: LIMITS,
    find: 'window_started_at = CASE WHEN window_wrong = 1 THEN NULL ELSE window_started_at END, ',
    tests: CODES_TEST,
  },
  {
    invariant: 'I6',
    file: ACCESS,
    find: 'UPDATE accounts SET ${NO_WAITS} WHERE',
    replace: 'UPDATE accounts SET ${NO_COUNTS} WHERE',
    tests: ['test/auth/access.test.ts'],
  },
  {
    invariant: 'I6',
    file: RECOVERY,
    find: '${NO_WAITS}, reset_notice_at',
    replace: '${NO_WAITS}, window_wrong = 0, window_started_at = NULL, reset_notice_at',
    tests: RECOVERY_TEST,
  },
  { invariant: 'I7', file: LIMITS, find: '\n      AND ${waitUntil} <= ${now}', tests: BACKUP_CODES_TEST },
  { invariant: 'I7', file: ANSWER, find: '  if (held) return held;\n', tests: BACKUP_CODES_TEST },
  { invariant: 'I8', ...OPEN_TO_SPEND, tests: CHALLENGES_TEST },
  { invariant: 'I8', ...OPEN_TO_CONSUME, otherGuards: [OPEN_TO_SPEND], tests: CHALLENGES_TEST },
  {
    invariant: 'I8',
    file: SCHEMA,
    find: '  UNIQUE (organization_id, challenge_id),\n',
    otherGuards: [OPEN_TO_SPEND, OPEN_TO_CONSUME],
    tests: CHALLENGES_TEST,
  },
  { invariant: 'I9', ...ACTIVE_IN_SELECT, tests: TOTP_TEST },
  { invariant: 'I9', ...ACTIVE_IN_UPDATE, otherGuards: [ACTIVE_IN_SELECT], tests: TOTP_TEST },
  {
    invariant: 'I9',
    file: TOTP,
    find: ' AND revoked_at IS NULL ORDER BY id',
    replace: ' ORDER BY id',
    tests: TOTP_TEST,
  },
  {
    invariant: 'I9',
    file: SCHEMA,
    find: "  CHECK (kind <> 'totp' OR (revoked_at IS NULL) = (secret IS NOT NULL)),\n",
    otherGuards: [{ file: RECOVERY, find: ', secret = NULL' }],
    tests: ENROLMENT_TEST,
  },
  {
    invariant: 'I10',
    file: ENROLMENT,
    find: 'AND challenge_id = ${challenge.id}\n      AND account_id',
    replace: 'AND account_id',
    tests: ENROLMENT_TEST,
  },
  {
    invariant: 'I10',
    file: ENROLMENT,
    find: ' AND challenge_id = ${challenge.id}\n        AND enabled_at IS NULL AND revoked_at IS NULL AND proven_step IS NULL',
    replace: ' AND enabled_at IS NULL AND revoked_at IS NULL AND proven_step IS NULL',
    tests: ENROLMENT_TEST,
  },
  {
    invariant: 'I10',
    file: ENROLMENT,
    find: ' AND challenge_id = ${challenge.id}\n        AND enabled_at IS NULL AND revoked_at IS NULL AND proven_step IS NOT NULL',
    replace: ' AND enabled_at IS NULL AND revoked_at IS NULL AND proven_step IS NOT NULL',
    tests: ENROLMENT_TEST,
  },
  { invariant: 'I10', ...OTHERS_REVOKED, tests: ENROLMENT_TEST },
  {
    invariant: 'I10',
    file: SCHEMA,
    find: 'CREATE UNIQUE INDEX authenticators_one_pending ON authenticators (organization_id, account_id)\n  WHERE enabled_at IS NULL AND revoked_at IS NULL;',
    otherGuards: [OTHERS_REVOKED],
    tests: ENROLMENT_TEST,
  },
  {
    invariant: 'I10',
    file: ENROLMENT,
    find: '  if (begun && begun.secret !== null && begun.expiresAt > now && begun.triesLeft > 0) return false;\n',
    tests: ['test/races/enrolment.test.ts'],
  },
  {
    invariant: 'I10',
    file: ENROLMENT,
    find: '    if (!(await lockAtEpoch(tx, challenge.account, challenge.epoch))) return new RolledBack(false);\n',
    tests: ['test/races/enrolment.test.ts'],
  },
  { invariant: 'I10', file: ENROLMENT, find: ' AND tries_left > 0', tests: ENROLMENT_TEST },
  {
    invariant: 'I10',
    file: ENROLMENT,
    find: 'SET tries_left = tries_left - 1',
    replace: 'SET tries_left = tries_left',
    tests: ENROLMENT_TEST,
  },
  {
    invariant: 'I10',
    file: ENROLMENT,
    find: '    if (!(await isStillInside(tx, challenge, now))) return new RolledBack(false);\n',
    tests: AUTHENTICATORS_TEST,
  },
  { invariant: 'I10', file: CHALLENGES, find: ' || isInside === 0', tests: AUTHENTICATORS_TEST },
  {
    invariant: 'I10',
    file: ENROLMENT,
    find: '    if (replaced !== 1) return false;\n',
    replace: '',
    otherGuards: [
      {
        file: ENROLMENT,
        find: '    const replaced = await tx.run(sql`UPDATE authenticators SET revoked_at = ${now}, secret = NULL',
        replace: '    await tx.run(sql`UPDATE authenticators SET expires_at = expires_at',
      },
    ],
    tests: AUTHENTICATORS_TEST,
  },
  {
    invariant: 'I12',
    file: AUTHENTICATORS,
    find: '\n        AND EXISTS (SELECT 1 FROM authenticators m WHERE ${activeOf(session.account)} AND m.id <> ${appId})',
    tests: AUTHENTICATORS_TEST,
  },
  { invariant: 'I12', file: MFA_OFF, find: " AND policy <> 'required'", tests: MFA_OFF_TEST },
  {
    invariant: 'I14',
    file: MFA_OFF,
    find: "  if (!isFreshlyProven(session, installation.now())) throw new Error('MFA turned off without a fresh proof');\n",
    tests: MFA_OFF_TEST,
  },
  {
    invariant: 'I14',
    file: SESSIONS,
    find: ' && now - signedInAt <= FRESH_PROOF_MS',
    tests: AUTHENTICATORS_TEST,
  },
  {
    invariant: 'I14',
    file: AUTHENTICATORS,
    find: "  if (!isFreshlyProven(session, installation.now())) throw new Error('another app without a fresh proof');\n",
    tests: AUTHENTICATORS_TEST,
  },
  {
    invariant: 'I4',
    file: NEW_CODES,
    find: '    const shown = await onScreen(tx, installation, session);\n',
    replace: '    const shown = null as string[] | null;\n',
    tests: ['test/races/own-factors.test.ts'],
  },
  { invariant: 'I19', file: NEW_CODES, find: ' AND expires_at > ${installation.now()}', tests: NEW_CODES_TEST },
  { invariant: 'I11', file: POLICY, find: "  if (hasMfa) return { kind: 'challenge' };\n", tests: POLICY_TEST },
  {
    invariant: 'I11',
    file: POLICY,
    find: "  if (kind === 'staff') return { kind: 'enrolment', laterUntil: null };\n",
    tests: POLICY_TEST,
  },
  { invariant: 'I11', file: POLICY, find: ' && now < until', tests: POLICY_TEST },
  { invariant: 'I11', file: SIGN_IN, find: "if (next.kind === 'session') {", replace: '{', tests: POLICY_TEST },
  { invariant: 'I11', file: GRACE, find: ' || laterUntil === null || now >= laterUntil', tests: PUTTING_OFF_TEST },
  {
    invariant: 'I11',
    file: GRACE,
    find: "    if (next.kind === 'challenge' || (next.kind === 'enrolment' && next.laterUntil === null)) return refused;\n",
    tests: PUTTING_OFF_TEST,
  },
  { invariant: 'I11', file: GRACE, find: ' || graceUntil !== null', tests: GRACE_TEST },
  { invariant: 'I11', file: GRACE, find: "account.kind === 'contact' && ", tests: GRACE_TEST },
  {
    invariant: 'I11',
    file: SESSIONS,
    find: 'Math.min(longest, proof.until ?? longest)',
    replace: 'longest',
    tests: GRACE_TEST,
  },
  {
    invariant: 'I11',
    file: GUARDS,
    find: '      if (!purposes.includes(challenge.purpose)) return visit.see(`${door.base}${otherwise}`);\n',
    tests: ['test/surface/routes.test.ts'],
  },
  {
    invariant: 'I11',
    file: CHALLENGES,
    find: ' AND purpose = ${challenge.purpose}',
    tests: ENROLMENT_TEST,
  },
  {
    invariant: 'I11',
    file: SESSIONS,
    find: 's.surface = ${surface} AND s.ended_at IS NULL AND s.expires_at',
    replace: 's.ended_at IS NULL AND s.expires_at',
    tests: SESSIONS_TEST,
  },
  { invariant: 'I11', file: SESSIONS, find: '  await endOldest(tx, account, id, now);\n', tests: SESSIONS_TEST },
  { invariant: 'I12', ...EPOCH_OF_SESSION, tests: SESSIONS_TEST },
  { invariant: 'I12', file: SESSIONS, find: "surface === 'portal'\n", replace: 'false\n', tests: SESSIONS_TEST },
  {
    invariant: 'I12',
    file: 'src/import/change.ts',
    find: 'epoch = epoch + ${raises ? 1 : 0}',
    replace: 'epoch = epoch',
    tests: IMPORT_TEST,
  },
  {
    invariant: 'I12',
    file: SESSIONS,
    find: ' AND s.epoch = a.epoch AND a.disabled_at IS NULL`;',
    replace: ' AND s.epoch = a.epoch`;',
    tests: SESSIONS_TEST,
  },
  { invariant: 'I12', file: 'src/web/routes.ts', find: ', wholeBodiesOnly)', replace: ')', tests: HELD_BACK_TEST },
  { invariant: 'I12', ...EPOCH_OF_CHALLENGE, tests: CHALLENGES_TEST },
  { invariant: 'I12', ...EPOCH_OF_ANSWER, tests: CHALLENGES_TEST },
  { invariant: 'I12', ...EPOCH_OF_ATTEMPT, otherGuards: [EPOCH_OF_ANSWER], tests: CHALLENGES_TEST },
  { invariant: 'I12', file: EPOCH, find: ' AND epoch = ${epoch}', tests: SIGN_IN_TEST },
  {
    invariant: 'I12',
    file: EPOCH,
    find: 'await tx.run(sql`UPDATE accounts SET epoch = epoch WHERE organization_id = ${organizationId}\n    AND id = ${id} AND epoch = ${epoch} AND disabled_at IS NULL`);',
    replace:
      '(await tx.all(sql`SELECT 1 AS found FROM accounts WHERE organization_id = ${organizationId}\n    AND id = ${id} AND epoch = ${epoch} AND disabled_at IS NULL`)).length;',
    tests: ['test/races/recovery.test.ts'],
  },
  {
    invariant: 'I12',
    file: ENROLMENT,
    find: 'AND epoch = ${challenge.epoch} AND disabled_at IS NULL\n',
    replace: 'AND disabled_at IS NULL\n',
    tests: ENROLMENT_TEST,
  },
  {
    invariant: 'I12',
    file: SESSIONS,
    find: ' AND epoch = ${session.account.epoch}',
    otherGuards: [LOCK_OF_FRESH_PROOF, EPOCH_OF_CHALLENGE, EPOCH_OF_ANSWER, EPOCH_OF_ATTEMPT],
    tests: FRESH_PROOF_TEST,
  },
  {
    invariant: 'I12',
    file: PASSWORDS,
    find: 'password_set_at = ${now}, epoch = epoch + 1,',
    replace: 'password_set_at = ${now},',
    tests: PASSWORDS_TEST,
  },
  { invariant: 'I12', file: RECOVERY, find: 'epoch = epoch + 1, ', tests: RECOVERY_TEST },
  {
    invariant: 'I12',
    file: ACCESS,
    find: 'now}, epoch = epoch + 1\n',
    replace: 'now}\n',
    tests: ['test/auth/access.test.ts'],
  },
  {
    invariant: 'I12',
    file: TEAM,
    find: 'SET role = ${role}, epoch = epoch + 1',
    replace: 'SET role = ${role}',
    tests: TEAM_TEST,
  },
  {
    invariant: 'I12',
    file: TEAM,
    find: 'SET disabled_at = ${now}, epoch = epoch + 1,',
    replace: 'SET disabled_at = ${now},',
    tests: TEAM_TEST,
  },
  {
    invariant: 'I12',
    file: TEAM,
    find: 'SET epoch = epoch + 1 WHERE',
    replace: 'SET epoch = epoch WHERE',
    tests: TEAM_TEST,
  },
  // Whose role counts is settled under the team's lock, by what the manager's account is then.
  { invariant: 'I12', file: TEAM, find: ' AND epoch = ${manager.epoch}', tests: TEAM_TEST },
  {
    invariant: 'I12',
    file: TEAM,
    find: '  await tx.run(sql`UPDATE organizations SET name = name WHERE id = ${organizationId}`);\n',
    tests: ['test/races/team.test.ts', ...TEAM_TEST],
  },
  {
    invariant: 'I12',
    file: 'src/accounts/contacts.ts',
    find: ', epoch = epoch + 1 WHERE',
    replace: ' WHERE',
    tests: ['test/accounts/contacts.test.ts'],
  },
  {
    invariant: 'I12',
    file: EPOCH,
    find: '  await tx.run(sql`UPDATE sessions SET ended_at = ${now} WHERE ${ofAccount} AND ended_at IS NULL`);\n',
    tests: RECOVERY_TEST,
  },
  {
    invariant: 'I13',
    file: FORMS,
    find: "    if (field === undefined) throw new RequestRefused(400, 'the form has a field that does not belong to it');\n",
    tests: ['test/web/forms.test.ts'],
  },
  {
    invariant: 'I13',
    file: FORMS,
    find: '    if (values.has(field)) throw new RequestRefused(400, `the field ${field} was sent twice`);\n',
    tests: ['test/web/forms.test.ts'],
  },
  {
    invariant: 'I13',
    file: 'src/web/upload.ts',
    find: "    if (field === undefined) throw new RequestRefused(400, 'the form has a field that does not belong to it');\n",
    tests: ['test/web/upload.test.ts'],
  },
  {
    invariant: 'I13',
    file: 'src/web/upload.ts',
    find: '    if (values.has(field)) throw new RequestRefused(400, `the field ${field} was sent twice`);\n',
    tests: ['test/web/upload.test.ts'],
  },
  { invariant: 'I14', file: SESSIONS, find: ' && now - provedAt <= FRESH_PROOF_MS', tests: FRESH_PROOF_TEST },
  { invariant: 'I14', file: 'src/auth/proof.ts', find: "this.by === 'totp'", replace: 'true', tests: SESSIONS_TEST },
  {
    invariant: 'I14',
    file: 'src/door/confirm.ts',
    find: 'isFreshlyProven(who.session, visit.now)',
    replace: 'true',
    tests: ['test/surface/answers.test.ts'],
  },
  {
    invariant: 'I14',
    file: 'src/auth/parked-forms.ts',
    find: '\n    AND session_id = ${sessionId}',
    tests: ['test/auth/parked-forms.test.ts'],
  },
  {
    invariant: 'I14',
    file: 'src/auth/parked-forms.ts',
    find: ' AND account_id = ${account.id}',
    tests: ['test/auth/parked-forms.test.ts'],
  },
  {
    invariant: 'I14',
    file: 'src/auth/parked-forms.ts',
    find: ' AND expires_at > ${now()}',
    tests: ['test/auth/parked-forms.test.ts'],
  },
  {
    invariant: 'I14',
    file: 'src/accounts/epoch.ts',
    find: '  await tx.run(sql`DELETE FROM parked_forms WHERE ${ofAccount}`);\n',
    tests: ['test/auth/parked-forms.test.ts'],
  },
  {
    invariant: 'I14',
    file: SESSIONS,
    find: ' AND COALESCE(proved_at, 0) = ${session.provedAt ?? 0}',
    tests: ['test/races/confirm.test.ts'],
  },
  {
    invariant: 'I14',
    file: GUARDS,
    find: "if (found.session.provenBy === 'backup-code' && !AFTER_BACKUP_CODE.includes(permission)) {",
    replace: 'if (false) {',
    tests: ['test/surface/routes.test.ts'],
  },
  {
    invariant: 'I14',
    file: RECOVERY,
    find: "  return room.ok ? undefined : { kind: 'limited', until: room.until };\n",
    replace: '  return undefined;\n',
    tests: WINDOWS_TEST,
  },
  { invariant: 'I15', file: PASSWORDS, find: ' AND a.organization_id = ${claim.organizationId}', tests: SIGN_IN_TEST },
  {
    invariant: 'I15',
    file: GUARDS,
    find: ' || (door.organization && door.organization.id !== organizationId)',
    tests: ['test/surface/routes.test.ts'],
  },
  {
    invariant: 'I15',
    file: GUARDS,
    find: ' || (door.organization && door.organization.id !== organization.id)',
    tests: ['test/surface/routes.test.ts'],
  },
  {
    invariant: 'I15',
    file: 'src/accounts/branding.ts',
    find: 'WHERE organization_id = ${id} AND hash',
    replace: 'WHERE hash',
    tests: ['test/accounts/branding.test.ts'],
  },
  { invariant: 'I15', file: RECOVERY, find: 'sameHouse && ', tests: RECOVERY_TEST },
  { invariant: 'I16', ...PLACE_OF_SEAL, tests: ['test/crypto/seal.test.ts'] },
  {
    invariant: 'I16',
    file: KEYS,
    find: '  testSeal(ring);\n',
    otherGuards: [PLACE_OF_SEAL],
    tests: ['test/accounts/installation.test.ts'],
  },
  {
    invariant: 'I17',
    file: KEYS,
    find: ' checkKey(ring, use);',
    replace: ';',
    tests: ['test/accounts/installation.test.ts'],
  },
  {
    invariant: 'I17',
    file: KEYS,
    find: ' checkHolder(ring, other, now);',
    replace: ';',
    tests: ['test/accounts/installation.test.ts'],
  },
  { invariant: 'I17', file: KEYS, find: ' AND last_used_at = ${lastUsedAt}', tests: ROTATION_TEST },
  {
    invariant: 'I17',
    file: ROTATION,
    find: ' AND ${column.column} = ${row.sealed} RETURNING',
    replace: ' RETURNING',
    tests: ROTATION_TEST,
  },
  {
    invariant: 'I17',
    file: ROTATION,
    find: 'const empty = sealers.length === 0 && ',
    replace: 'const empty = ',
    tests: ROTATION_TEST,
  },
  { invariant: 'I17', file: ROTATION, find: ' && !stuck.has(keyId)', tests: ROTATION_TEST },
  { invariant: 'I17', file: ROTATION, find: '    if (unfinished) continue;\n', tests: ROTATION_TEST },
  {
    invariant: 'I17',
    file: SEAL,
    find: 'keyOf(ring, keyId)',
    replace: 'keyOf(ring, ring.current)',
    tests: ['test/crypto/seal.test.ts'],
  },
  { invariant: 'I18', file: ANSWER, find: "        await note(tx, 'right', {});\n", tests: ANSWER_TEST },
  {
    invariant: 'I18',
    file: ANSWER,
    find: "      await note(tx, 'wrong', { ...counts, ...redemption.why });\n",
    tests: ANSWER_TEST,
  },
  {
    invariant: 'I18',
    file: SIGN_IN,
    find: "    await note('password.answered', 'right', { next: next.kind });\n",
    tests: ANSWER_TEST,
  },
  {
    invariant: 'I18',
    file: PASSWORDS,
    find: '  if (account) {\n    await installation.db.transaction((tx) =>',
    replace: '  if (account) {\n    await Promise.resolve((tx: Transaction) =>',
    tests: ANSWER_TEST,
  },
  {
    invariant: 'I18',
    file: AUDIT,
    find: "createHmac('sha256', key)",
    replace: "createHmac('sha256', '')",
    tests: AUDIT_VERIFY_TEST,
  },
  {
    invariant: 'I18',
    file: AUDIT_CHAIN,
    find: "createHmac('sha256', key)",
    replace: "createHmac('sha256', Buffer.alloc(32))",
    tests: AUDIT_VERIFY_TEST,
  },
  { invariant: 'I18', file: AUDIT_CHAIN, find: ', mac, previous];', replace: ', mac];', tests: AUDIT_VERIFY_TEST },
  {
    invariant: 'I18',
    file: AUDIT_CHAIN,
    find: "['link', organizationId, sequence, rowId,",
    replace: "['link', organizationId, rowId,",
    tests: AUDIT_VERIFY_TEST,
  },
  { invariant: 'I18', ...LOST_BATCH, tests: ['test/races/audit-chain.test.ts'] },
  {
    invariant: 'I18',
    file: SCHEMA,
    find: '  PRIMARY KEY (organization_id, sequence),\n',
    otherGuards: [LOST_BATCH],
    tests: ['test/races/audit-chain.test.ts', ...AUDIT_CHAIN_TEST],
  },
  {
    invariant: 'I18',
    file: SCHEMA,
    find: '  UNIQUE (organization_id, row_id),\n',
    otherGuards: [LOST_BATCH],
    tests: ['test/races/audit-chain.test.ts', ...AUDIT_CHAIN_TEST],
  },
  { invariant: 'I18', file: LEASES, find: 'leases.holder = excluded.holder OR ', tests: AUDIT_CHAIN_TEST },
  { invariant: 'I18', file: LEASES, find: 'OR leases.expires_at <= ${at} ', tests: AUDIT_CHAIN_TEST },
  { invariant: 'I18', file: LEASES, find: ' OR leases.expires_at > excluded.expires_at', tests: AUDIT_CHAIN_TEST },
  { invariant: 'I18', file: AUDIT_CHAIN, find: '      await appendLinks(installation);\n', tests: AUDIT_CHAIN_TEST },
  { invariant: 'I18', file: AUDIT_CHAIN, find: '      due ||= urgent;\n', tests: AUDIT_CHAIN_TEST },
  {
    invariant: 'I18',
    file: AUDIT_VERIFY,
    find: "  if (sequence > next) return { kind: 'gap', from: next, to: sequence - 1 };\n",
    tests: AUDIT_VERIFY_TEST,
  },
  {
    invariant: 'I18',
    file: AUDIT_VERIFY,
    find: "  if (mac !== macOf(key, linked)) return { kind: 'changed-row', sequence, rowId };\n",
    tests: AUDIT_VERIFY_TEST,
  },
  {
    invariant: 'I18',
    file: AUDIT_VERIFY,
    find: "  if (link !== null) return { kind: 'replaced', sequence };\n",
    tests: AUDIT_VERIFY_TEST,
  },
  {
    invariant: 'I18',
    file: AUDIT_VERIFY,
    find: "  if (rowId !== null) findings.add({ kind: 'lost-link', rowId }, count);\n",
    tests: AUDIT_VERIFY_TEST,
  },
  {
    invariant: 'I19',
    file: CEREMONY_CODES,
    find: ' AND consumed_at IS NULL`);\n  return !row',
    replace: '`);\n  return !row',
    otherGuards: [
      {
        file: CHALLENGES,
        find: 'SET consumed_at = ${now}, sealed_codes = NULL\n    WHERE organization_id = ${challenge.',
        replace: 'SET consumed_at = ${now}\n    WHERE organization_id = ${challenge.',
      },
      { file: SCHEMA, find: ' AND consumed_at IS NULL))\n', replace: '))\n' },
    ],
    tests: ENROLMENT_TEST,
  },
  {
    invariant: 'I19',
    file: 'src/web/security.ts',
    find: "  'Cache-Control': 'no-store',\n",
    tests: ['test/surface/browser.test.ts'],
  },
  {
    invariant: 'I20',
    file: PASSWORDS,
    find: '  const hash = readable ? known : await installation.nobodysPassword;',
    replace: '  if (!readable) return false;\n  const hash = known;',
    tests: SIGN_IN_TEST,
  },
  {
    invariant: 'I20',
    file: PASSWORDS,
    find: ' || held.account.disabledAt !== null',
    tests: SIGN_IN_TEST,
  },
  {
    invariant: 'I20',
    file: PASSWORDS,
    find: 'await installation.db.transaction((tx) =>\n    counters.tallyWithin(',
    replace: 'await Promise.resolve((tx: Transaction) =>\n    counters.tallyWithin(',
    tests: SIGN_IN_TEST,
  },
  { invariant: 'I21', file: PASSWORDS, find: '!known && ', tests: LIMITS_TEST },
  {
    invariant: 'I21',
    file: PASSWORDS,
    find: '  await forgetAddresses(tx, organizationId, id);\n',
    tests: PASSWORDS_TEST,
  },
  { invariant: 'I22', file: CLOCK, find: ' WHERE clock.seen_at < excluded.seen_at', tests: CLOCK_TEST },
  {
    invariant: 'I22',
    file: LIMITS,
    find: "typed === 'totp' ? sql`AND ${clockIsRight(now)}` : sql``",
    replace: 'sql``',
    tests: CLOCK_TEST,
  },
  {
    invariant: 'I22',
    file: ANSWER,
    find: "  if (behind && typed === 'totp') return { kind: 'clock-behind' };\n",
    tests: CLOCK_TEST,
  },
  { invariant: 'I22', file: ENROLMENT, find: '\n        AND ${clockIsRight(now)}', tests: CLOCK_TEST },
  { invariant: 'I22', file: SESSIONS, find: ' && !clockIsBehind(now, provedAt)', tests: CLOCK_TEST },
  {
    invariant: 'I21',
    file: PASSWORDS,
    find: '[limits.ADDRESS_PASSWORD_SOON, limits.ADDRESS_PASSWORD_HOUR]',
    replace: '[limits.ADDRESS_PASSWORD_SOON]',
    tests: WINDOWS_TEST,
  },
  {
    invariant: 'I21',
    file: PASSWORDS,
    find: '[limits.ADDRESS_PASSWORD_SOON, limits.ADDRESS_PASSWORD_HOUR]',
    replace: '[limits.ADDRESS_PASSWORD_HOUR]',
    tests: WINDOWS_TEST,
  },
  {
    invariant: 'I21',
    file: PASSWORDS,
    find: ' && ofAccount.before >= limits.ACCOUNT_PASSWORD_HOUR.allows',
    tests: WINDOWS_TEST,
  },
  {
    invariant: 'I21',
    file: PASSWORDS,
    find: 'ofAccount.before >= limits.ACCOUNT_PASSWORD_HOUR.allows',
    replace: 'false',
    tests: WINDOWS_TEST,
  },
  {
    invariant: 'I21',
    file: PASSWORDS,
    find: 'fingerprint(counterKey, email, address)',
    replace: 'fingerprint(counterKey, email)',
    tests: ATTACKER_TEST,
  },
  { invariant: 'I21', file: PASSWORDS, find: '    else await counters.giveBack(db, spent);\n', tests: WINDOWS_TEST },
  {
    invariant: 'I21',
    file: PASSWORDS,
    find: '  await giveBack();\n  await rehash',
    replace: '  await rehash',
    tests: LIMITS_TEST,
  },
  {
    invariant: 'I21',
    file: PASSWORDS,
    find: '    await giveBack();\n    throw fault;',
    replace: '    throw fault;',
    tests: [...SIGN_IN_TEST, ...LIMITS_TEST],
  },
  {
    invariant: 'I21',
    file: PASSWORDS,
    find: 'fingerprint(counterKey, visitor.network)',
    replace: 'fingerprint(counterKey, visitor.address)',
    tests: PROXIES_TEST,
  },
  {
    invariant: 'I21',
    file: 'src/auth/password-by-link.ts',
    find: "  if (!room.ok) return { kind: 'limited', until: room.until };\n",
    tests: WINDOWS_TEST,
  },
  // Whose address it is behind proxies.
  {
    invariant: 'I21',
    file: CLIENT_IP,
    find: '    if (!trusted.some((entry) => covers(entry, address))) break;\n',
    tests: PROXIES_TEST,
  },
  { invariant: 'I21', file: CLIENT_IP, find: '.toReversed()', tests: PROXIES_TEST },
  {
    invariant: 'I21',
    file: CLIENT_IP,
    find: '    if (!address) break;\n',
    replace: '    if (!address) continue;\n',
    tests: PROXIES_TEST,
  },
  { invariant: 'I21', file: CLIENT_IP, find: '    .slice(0, 4)\n', tests: PROXIES_TEST },
  {
    invariant: 'I21',
    file: CLIENT_IP,
    find: 'ipaddr.isValid(text) ? ipaddr.process(text)',
    replace: 'ipaddr.isValid(text) ? ipaddr.parse(text)',
    tests: PROXIES_TEST,
  },
  {
    invariant: 'I21',
    file: CLIENT_IP,
    find: '  if (network.kind() !== address.kind()) return false;\n',
    tests: PROXIES_TEST,
  },
  {
    invariant: 'I23',
    file: TOKENS,
    find: "createHash('sha256').update(token).digest('base64url')",
    replace: 'token',
    tests: SIGN_IN_TEST,
  },
  {
    invariant: 'I23',
    file: TOKENS,
    find: "randomBytes(32).toString('base64url')",
    replace: "randomBytes(8).toString('base64url')",
    tests: ['test/crypto/tokens.test.ts'],
  },
  {
    invariant: 'I23',
    file: SESSIONS,
    find: 'SET token_hash = ${hashToken(token)}, proved_at',
    replace: 'SET proved_at',
    tests: FRESH_PROOF_TEST,
  },
  {
    invariant: 'I23',
    file: SESSIONS,
    find: '  if (previous !== undefined) await endSession(tx, previous, now);\n',
    tests: SIGN_IN_TEST,
  },
  {
    invariant: 'I5',
    file: PASSKEY_SIGN_IN,
    find: ' AND disabled_at IS NULL AND suspected_at IS NULL',
    tests: PASSKEYS_TEST,
  },
  {
    invariant: 'I8',
    file: PASSKEY_CEREMONIES,
    find: ' AND expires_at > ${now} ${ofEpoch}',
    replace: ' ${ofEpoch}',
    tests: PASSKEYS_TEST,
  },
  { invariant: 'I8', file: PASSKEY, find: ' AND ${rises} AND ', replace: ' AND ', tests: PASSKEYS_TEST },
  {
    invariant: 'I8',
    file: PASSKEY,
    find: "if (!(await takeCeremony(tx, bound, sent.challenge, now))) return wrong('ceremony');",
    tests: PASSKEYS_TEST,
  },
  {
    invariant: 'I13',
    file: PASSKEY,
    find: "if (bound.to === 'sign-in') return userHandle === userHandleOf(account.id);",
    replace: "if (bound.to === 'sign-in') return true;",
    tests: PASSKEYS_TEST,
  },
  {
    invariant: 'I13',
    file: PASSKEY,
    find: 'account.id === ownerOf(bound).id && ',
    tests: ['test/attacks/passkeys.test.ts'],
  },
  {
    invariant: 'I14',
    file: 'src/auth/passkeys.ts',
    find: "  if (!isFreshlyProven(session, installation.now())) throw new Error('a passkey without a fresh proof');\n",
    tests: PASSKEYS_TEST,
  },
  {
    invariant: 'I15',
    file: PASSKEY,
    find: ' AND p.organization_id = ${organizationId}',
    tests: ['test/attacks/passkeys.test.ts'],
  },
  // What docs/sign-in.md says of trusted devices.
  { invariant: 'trusted devices', file: DEVICES, find: '!proof.isFresh || ', tests: DEVICES_TEST },
  {
    invariant: 'trusted devices',
    file: DEVICES,
    find: " || account.kind !== 'contact') return undefined;\n  const now = installation.now();\n  const [series",
    replace: ') return undefined;\n  const now = installation.now();\n  const [series',
    tests: DEVICES_TEST,
  },
  {
    invariant: 'trusted devices',
    file: DEVICES,
    find: ' AND o.trusted_device_days IS NOT NULL\n    RETURNING',
    replace: '\n    RETURNING',
    tests: DEVICES_TEST,
  },
  {
    invariant: 'trusted devices',
    file: DEVICES,
    find: '    await revoke(tx, account, now, sql`series_hash = ${seriesHash}`);\n',
    tests: DEVICES_TEST,
  },
  {
    invariant: 'trusted devices',
    file: DEVICES,
    find: '  await endOldest(tx, account, now);\n',
    tests: DEVICES_END_TEST,
  },
  { invariant: 'trusted devices', file: DEVICES, find: "kind !== 'contact' || ", tests: DEVICES_TEST },
  {
    invariant: 'trusted devices',
    file: DEVICES,
    find: ' AND account_id = ${accountId} AND epoch = ${epoch}`;',
    replace: ' AND epoch = ${epoch}`;',
    tests: DEVICES_TEST,
  },
  {
    invariant: 'trusted devices',
    file: DEVICES,
    find: ' AND epoch = ${epoch}`;',
    replace: '`;',
    tests: DEVICES_END_TEST,
  },
  {
    invariant: 'trusted devices',
    file: DEVICES,
    find: ' AND token_hash = ${secretHash} AND revoked_at IS NULL',
    replace: ' AND revoked_at IS NULL',
    tests: DEVICES_TEST,
  },
  { invariant: 'trusted devices', file: DEVICES, find: '      AND ${clockIsRight(now)}\n', tests: DEVICES_END_TEST },
  {
    invariant: 'trusted devices',
    file: DEVICES,
    find: '\n      AND (previous_hash IS DISTINCT FROM ${secretHash} OR last_used_at <= ${now - DEVICE_RACE_MS})',
    replace: '',
    tests: DEVICES_TEST,
  },
  {
    invariant: 'trusted devices',
    file: DEVICES,
    find: 'previous_hash IS DISTINCT FROM ${secretHash} OR ',
    tests: DEVICES_TEST,
  },
  {
    invariant: 'trusted devices',
    file: DEVICES,
    find: ' OR last_used_at <= ${now - DEVICE_RACE_MS}',
    tests: DEVICES_TEST,
  },
  {
    invariant: 'trusted devices',
    file: DEVICES,
    find: '  if (copied > 0) await endWhatItOpened(tx, installation, account, visitor, now);\n',
    tests: DEVICES_TEST,
  },
  {
    invariant: 'trusted devices',
    file: DEVICES,
    find: ' AND d.session_epoch = o.session_epoch',
    tests: DEVICES_END_TEST,
  },
  { invariant: 'trusted devices', file: DEVICES, find: ' AND d.created_at > o.devices_from', tests: DEVICES_TEST },
  {
    invariant: 'trusted devices',
    file: DEVICES,
    find: 'd.created_at > ${now} - o.trusted_device_days * ${DAY_MS} AND ',
    tests: DEVICES_TEST,
  },
  {
    invariant: 'trusted devices',
    file: DEVICES,
    find: ' AND d.expires_at > ${now}`;',
    replace: '`;',
    tests: DEVICES_TEST,
  },
  {
    invariant: 'trusted devices',
    file: 'src/auth/end-sessions.ts',
    find: '  const devices = await endDevices(tx, { organizationId, id }, now);\n',
    replace: '  const devices = 0;\n',
    tests: DEVICES_END_TEST,
  },
  {
    invariant: 'I24',
    file: RECOVERY,
    find: "actor.kind === 'operator' ? undefined : await helpHolds(tx, target, now)",
    replace: 'undefined as number | undefined',
    tests: HELP_TESTS,
  },
  {
    invariant: 'I24',
    file: RECOVERY_REQUESTS,
    find: 'sql`AND wait_ends_at <= ${now}` : sql``',
    replace: 'sql`` : sql``',
    tests: HELP_TESTS,
  },
  {
    invariant: 'I24',
    file: ANSWER,
    find: '        if (counted.helpWaitUntil !== null) await endHelp(tx, installation, challenge.account, answering.visitor);\n',
    tests: HELP_TESTS,
  },
  {
    invariant: 'I24',
    file: SIGN_IN_CODES,
    find: "    if (until !== undefined) return new RolledBack<MadeCode>({ kind: 'help-waits', until });\n",
    tests: SIGN_IN_CODE_TESTS,
  },
  {
    invariant: 'I25',
    file: ENROLMENT,
    find: '    if (replaces) await takeFactorsAway(tx, challenge.account, now, challenge.id);\n',
    tests: SIGN_IN_CODE_TESTS,
  },
  {
    invariant: 'I25',
    file: 'src/auth/factors/sign-in-code.ts',
    find: ' AND a.epoch = c.epoch',
    tests: SIGN_IN_CODE_TESTS,
  },
];
