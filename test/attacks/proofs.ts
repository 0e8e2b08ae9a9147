import {
  ACTS,
  CEREMONY,
  CODES,
  elsewhere,
  FORMS,
  HTTP,
  LINKS,
  MACHINES,
  NO_COOKIE,
  none,
  PASSKEY,
  PASSWORD,
  PROOF,
  READING,
  ROUTES_TEST,
  SHELL,
  tests,
  both,
  without,
  type AttackClass,
} from './cells.ts';

/** What attacks the proofs themselves: codes, factors, sessions' beginnings and their end. */
export const CLASSES_OF_PROOFS: readonly AttackClass[] = [
  {
    name: 'skipping the step',
    clauses: '2.3.1, 6.3.4, 8.3.1, 13.4.4',
    cells: [
      tests(
        ['portal: set up later'],
        'putting-off.test.ts: is impossible where nothing offers it',
        'putting-off.test.ts: ends with the grace',
        'putting-off.test.ts: is impossible where the policy has become stricter since',
        ROUTES_TEST,
      ),
      tests(
        without(HTTP, ['portal: set up later']),
        'skipping.test.ts: no other spelling of an address opens what the address itself does not',
        'skipping.test.ts: no method but its own makes a form do anything',
        ROUTES_TEST,
      ),
      none(SHELL, `${NO_COOKIE}; API, OIDC, mailed links and WebSocket come with later releases`),
    ],
  },
  {
    name: 'a client-chosen subject',
    clauses: '8.2.2, 8.2.3, 4.1.3',
    cells: [
      tests(
        PASSKEY,
        'subject.test.ts: is in no form: every form is refused as soon as it names anybody',
        'passkeys.test.ts: opens no sign-in: Eve knows Maria’s password and has a passkey of her own',
        'passkeys.test.ts: names nobody else: with Maria’s user handle or credential id',
        'passkeys.test.ts: cannot be renamed, removed or put into an account by anybody else',
      ),
      tests(
        without(FORMS, PASSKEY),
        'subject.test.ts: is in no form: every form is refused as soon as it names anybody',
        'subject.test.ts: is in no query, header or cookie',
      ),
      tests(READING, 'subject.test.ts: changes no page: a query that names somebody else is not read'),
      none(MACHINES, 'they are about nobody'),
      none(SHELL, 'the operator chooses the subject: that is the command'),
    ],
  },
  {
    name: 'a missing or unreadable factor row failing open',
    clauses: '16.5.3, 6.3.4',
    cells: elsewhere(
      [
        tests(
          [...PASSWORD, ...CODES, ...CEREMONY, 'portal: inside'],
          'factor-row.test.ts: never fails open: where Maria’s',
          'factor-row.test.ts: of backup codes opens nothing either',
        ),
        tests(
          ['portal: own factors'],
          '../auth/authenticators.test.ts: heals no account whose authenticator row was lost: that stays shut',
        ),
        tests(
          ['console: reset', ...PROOF],
          'factor-row.test.ts: leaves the other factor and the way back',
          '../auth/factors/totp.test.ts: with a secret that no longer opens is a fault, never an enrolment or a way in',
        ),
      ],
      'no factor row is read there',
    ),
  },
  {
    name: 'replay of a code',
    clauses: '6.5.1, RFC 6238 §5.2',
    cells: elsewhere(
      [
        tests(
          [...PASSWORD, ...CODES],
          'replay.test.ts: opens no second sign-in',
          'replay.test.ts: of the backup sheet works neither again',
          'trusted-devices.test.ts: whose cookie Eve has copied, with the password: whoever comes second ends it for both',
        ),
        tests(
          ['portal: passkey'],
          'passkeys.test.ts: is replayed in vain, in the same browser and in another one',
          'passkeys.test.ts: is for one purpose: an answer to one page’s challenge',
        ),
        tests(CEREMONY, 'replay.test.ts: that proved the set-up opens no sign-in at either door'),
        tests(
          ['portal: checking the app'],
          '../surface/reminding.test.ts: takes no code that opens the door after it, and asks nobody else than it is for',
        ),
        tests(
          ['portal: own factors'],
          '../auth/authenticators.test.ts: ends with the first press of its button; the code that proved it opens nothing (I2)',
        ),
        tests(
          [...PROOF, 'console: settings', 'console: reset', 'console: team'],
          'replay.test.ts: across surfaces: a code of the sign-in confirms no act',
        ),
      ],
      'no code is taken there; a restored clock is the subject of test/auth/clock.test.ts',
    ),
  },
  {
    name: 'races',
    clauses: '2.3.3, 2.3.4',
    cells: elsewhere(
      [
        tests(
          PASSWORD,
          '../races/sign-in.test.ts: 16 right passwords at once leave three challenges open',
          '../races/devices.test.ts: 16 sign-ins at once with one value open one session',
        ),
        tests(
          CODES,
          '../races/answers.test.ts: one code of her app, sent 16 times over three challenges',
          '../races/answers.test.ts: one backup code, sent 16 times',
        ),
        tests(
          PASSKEY,
          '../races/passkeys.test.ts: one answer of her passkey, sent eight times at once, opens one session',
          '../races/passkeys.test.ts: one new passkey, sent eight times at once, is kept once',
        ),
        tests(CEREMONY, '../races/enrolment.test.ts: Enable MFA, pressed 16 times, enables once'),
        tests(
          ['portal: confirming an enrolment'],
          '../races/confirmation.test.ts: a link, followed 16 times at once in the browser that began, confirms once',
          '../races/confirmation.test.ts: a code of staff, sent 16 times at once',
        ),
        tests(
          LINKS,
          '../races/links.test.ts: a welcome link, spent eight times at once',
          '../races/links.test.ts: a set-up link, spent eight times at once',
          '../races/links.test.ts: a link to a new password, spent eight times at once',
          '../races/links.test.ts: a link that confirms an address, spent eight times at once',
          'mailed-links.test.ts: link prefetch: a scanner that opens every link',
          'mailed-links.test.ts: token reuse: a link works once, for its own purpose',
        ),
        tests(
          [...PROOF, 'console: settings'],
          'races.test.ts: one code of Ada’s app, sent at once to eight sign-ins and eight acts',
        ),
        tests(['console: reset'], '../races/recovery.test.ts: no session outlives the reset that it raced'),
        tests(
          ['portal: asking for help', 'console: recovery requests'],
          '../races/help.test.ts: is either approved or overtaken by a working code, never both',
          '../races/help.test.ts: asked for eight times at once, is one',
        ),
        tests(
          ['portal: sign-in code', 'console: sign-in code'],
          '../races/help.test.ts: a code that was read out, typed eight times at once, opens one ceremony',
        ),
        tests(['console: team'], '../races/team.test.ts: who all remove one another at once, one of them is left'),
        tests(['portal: set up later'], '../races/grace.test.ts: pressed eight times at once, opens one session'),
        tests(
          ['console: everybody at once'],
          '../races/grace.test.ts: no session outlives the moment at which everyone is signed out',
        ),
        tests(
          ['console: portal access'],
          '../races/recovery.test.ts: no session outlives the closing of the portal that it raced',
        ),
        tests(
          ['console: unlock', 'console: making welcome links'],
          '../surface/twice.test.ts: at the console changes once what it changes',
          '../surface/twice.test.ts: on a one-time link works once',
        ),
        tests(
          ['console: customers and contacts'],
          '../accounts/contacts.test.ts: is the only primary one even if two are added at once',
        ),
        tests(
          ['portal: own factors'],
          '../races/own-factors.test.ts: eight presses of the last button of a replacement replace once',
          '../races/own-factors.test.ts: the last two apps, removed at once, leave one',
          '../races/own-factors.test.ts: MFA is off or asked for, never off under a policy that asks for it',
          '../races/own-factors.test.ts: Get new codes, pressed eight times at once, makes one set',
        ),
        tests(SHELL, '../races/start.test.ts: eight on an empty database make one schema and one set of keys'),
      ],
      'nothing there is limited or single, so two at once are one after the other',
    ),
  },
  {
    name: 'guessing',
    clauses: '6.3.1, 6.6.3, RFC 4226 §7.3',
    cells: elsewhere(
      [
        tests(
          PASSWORD,
          'guessing.test.ts: under other spellings of an address is guessing at one account',
          'guessing.test.ts: from one peer counts once, whatever it says in however many headers',
          'guessing.test.ts: from behind a listed proxy counts the last hop that it wrote',
        ),
        tests(
          [...CODES, ...PROOF, 'console: settings', 'console: reset', 'console: team'],
          'guessing.test.ts: codes over challenges, browsers, methods and doors shares five',
          'guessing.test.ts: backup codes waits by itself',
          'guessing.test.ts: codes from a whole network of IPv6 is guessing from one address',
        ),
        tests(CEREMONY, '../races/enrolment.test.ts: of 40 wrong codes at once, an enrolment looks at 20'),
        tests(
          ['portal: sign-in code'],
          '../auth/sign-in-codes.test.ts: is counted like a wrong backup code when it is wrong',
        ),
        tests(
          ['portal: confirming an enrolment', 'console: setup code'],
          'enrolling-thief.test.ts: guesses no code of staff',
          '../races/confirmation.test.ts: of 40 wrong codes at once, each from an address of its own, ten are counted',
        ),
        tests(
          ['portal: checking the app'],
          '../surface/reminding.test.ts: asks nothing more after three wrong codes: a session left open makes nobody wait',
        ),
      ],
      'nothing short enough to guess is taken there: tokens have 256 bits',
    ),
  },
  {
    name: 'lock-out as a weapon',
    clauses: '6.1.1, 6.3.1',
    cells: elsewhere(
      [
        tests(
          [...PASSWORD, ...CODES, ...CEREMONY, ...both('sign-out')],
          'lock-out.test.ts: without the password moves no count, no challenge and no session',
        ),
        tests(PROOF, 'lock-out.test.ts: with a stolen session of staff is a count of that session’s own account'),
        tests(
          ['console: unlock'],
          'lock-out.test.ts: with the password costs the thief’s tries only as long as they last',
        ),
      ],
      'nothing there counts against an account',
    ),
  },
  {
    name: 'enrolling over an active factor',
    clauses: '7.5.1, 6.3.4',
    cells: elsewhere(
      [
        tests(
          [...CEREMONY, ...PASSWORD],
          'enrolling-over.test.ts: is impossible with an enrolment that began before it',
        ),
        tests(READING, 'enrolling-over.test.ts: is impossible from a session, which opens no ceremony by itself'),
        tests(
          ['portal: sign-in code'],
          'recovery.test.ts: of a code that was read out ends the old app with the new one, and opens nothing before',
        ),
        tests(
          ['portal: own factors'],
          'own-factors.test.ts: is parked at /confirm after ten minutes, at every form that changes a factor',
          'own-factors.test.ts: by whoever came in by a backup code is to replace the app and to make new codes, and no more',
          'own-factors.test.ts: is nobody’s without a session: half signed in, enrolling or at another portal',
          '../auth/authenticators.test.ts: dies with the session that began it, however that ends',
        ),
      ],
      'no enrolment can begin there',
    ),
  },
  {
    name: 'enrolling from a half-signed-in state of an enrolled account',
    clauses: '2.3.1, 6.3.4',
    cells: elsewhere(
      [tests([...CEREMONY, ...CODES], 'enrolling-half.test.ts: leads back to the code at every step')],
      'the half-signed-in state is refused there by the router: skipping the step',
    ),
  },
  {
    name: 'enabling without proof',
    clauses: '2.3.1, 7.5.1',
    cells: elsewhere(
      [
        tests(
          CEREMONY,
          'enabling-unproven.test.ts: is impossible with no code, a wrong one, one of another phone',
          'enabling-unproven.test.ts: is impossible with the proof of another',
          '../surface/twice.test.ts: to a form of a step not yet reached skips nothing',
        ),
        tests(
          ['portal: confirming an enrolment'],
          'enrolling-thief.test.ts: enables nothing: what his app has proven waits for a link that goes to Noor',
          'enrolling-thief.test.ts: gains nothing by Noor’s own click',
          'enrolling-thief.test.ts: cannot use the link of another contact, another organization or an earlier ceremony',
        ),
        tests(
          ['console: setup code'],
          'enrolling-thief.test.ts: guesses no code of staff',
          'enrolling-thief.test.ts: cannot use a code that staff made for another, an old one, or one twice',
        ),
      ],
      'nothing can be enabled there',
    ),
  },
  {
    name: 'a reset that leaves something alive',
    clauses: '7.4.3, 6.5.6',
    cells: elsewhere(
      [
        tests(
          ['console: reset', ...CODES, ...CEREMONY, 'portal: inside'],
          'reset-remains.test.ts: ends sessions, half-finished sign-ins, the app and the backup codes',
        ),
        tests(SHELL, '../auth/recovery.test.ts: at the shell also serves the only owner who lost a phone (R5)'),
      ],
      'nothing there is opened or ended by a reset',
    ),
  },
  {
    name: 'a reset across organizations or by an equal',
    clauses: '8.2.1, 8.2.2, 8.4.1',
    cells: elsewhere(
      [
        tests(
          [...ACTS, 'console: customers and contacts'],
          'reset-reach.test.ts: reaches nobody of another merchant, by whatever mixture of ids',
          'reset-reach.test.ts: reaches no staff, oneself least of all',
          'reset-reach.test.ts: reaches of the staff only whom a higher role manages: no equal',
        ),
        tests(
          ['console: recovery requests', 'console: sign-in code'],
          'recovery.test.ts: of another merchant’s contact is not there, by whatever mixture of ids',
        ),
        tests(['console: exemption'], 'putting-off.test.ts: reaches nobody of another merchant, and no staff'),
        tests(['portal: inside'], 'reset-reach.test.ts: is no part of the portal'),
        none(SHELL, 'resets among equals are the operator’s part, by design (docs/operating.md)'),
      ],
      'nobody can be reset from there',
    ),
  },
  {
    name: 'disabling or regenerating without a fresh proof or by a cross-site form',
    clauses: '3.5.1, 3.5.3, 7.5.1, 7.5.3',
    cells: [
      tests(
        FORMS,
        'cross-site.test.ts: is refused at every form, with the right cookies and the right fields',
        'cross-site.test.ts: is asked for password and code after ten minutes',
        'cross-site.test.ts: a session that a backup code opened changes nothing at the console',
        'cross-site.test.ts: the ceremony’s own codes are drawn once',
        'own-factors.test.ts: is parked at /confirm after ten minutes, at every form that changes a factor',
      ),
      none([...READING, ...MACHINES], 'nothing there changes anything'),
      none(SHELL, NO_COOKIE),
    ],
  },
  {
    name: 'codes that survive reset, re-enrolment or password change',
    clauses: '6.5.1, 6.5.6',
    cells: elsewhere(
      [
        tests(
          [...CODES, ...PASSWORD, 'console: reset'],
          'surviving-codes.test.ts: open nothing: neither the old app nor the old sheet',
          'trusted-devices.test.ts: ends with her password, though Eve brings the device and learns the new one',
        ),
        tests(
          ['portal: sign-in code'],
          '../auth/sign-in-codes.test.ts: is the account’s as it was when it was made: a closed portal',
        ),
        tests(
          ['portal: inside', ...SHELL],
          'surviving-codes.test.ts: a half-finished sign-in does not outlive the password that opened it',
        ),
        tests(
          ['portal: own account'],
          '../auth/change-password.test.ts: ends every session but goes on in this browser, with a new token',
        ),
        tests(
          ['portal: own factors'],
          '../auth/authenticators.test.ts: leaves the old one working until the new one is enabled, and not a moment longer',
          '../auth/new-codes.test.ts: take the place of the old at once',
          '../auth/mfa-off.test.ts: ends app, codes, sessions and ceremonies',
        ),
        tests(LINKS, '../auth/welcome.test.ts: is void once it is spent or the epoch has moved on, each by itself'),
      ],
      'no code is taken there',
    ),
  },
  {
    name: 'recovery used as a bypass, and pressure on the help desk',
    clauses: '6.4.3, 6.4.4, 6.4.6, NIST SP 800-63B-4 §4.2',
    cells: elsewhere(
      [
        tests(
          ['portal: asking for help', 'portal: sign-in code', ...both('code', 'enable MFA')],
          'recovery.test.ts: opens nothing by itself: asked for, waited out and unanswered, the code is still asked',
          'recovery.test.ts: is cancelled by no scanner of mails, which looks at every link',
        ),
        tests(
          ['portal: forgotten password', 'portal: mailed link'],
          'mailed-links.test.ts: a mailbox alone is no way round MFA',
        ),
        tests(
          [
            ...ACTS,
            'console: recovery requests',
            'console: sign-in code',
            'console: customers and contacts',
            'console: everybody at once',
            'console: import and export',
          ],
          'recovery.test.ts: skips its wait by none of the ways that staff have',
          'recovery.test.ts: skips neither the checks, nor the proof, nor the notice',
        ),
        none(SHELL, 'who has the shell has the database: the operator waits for nobody (SECURITY.md)'),
      ],
      'nothing there helps anybody in',
    ),
  },
];
