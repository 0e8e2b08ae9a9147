import {
  CEREMONY,
  CODES,
  CONSOLE,
  elsewhere,
  FORMS,
  HTTP,
  LINKS,
  MACHINES,
  none,
  PASSKEY,
  PASSWORD,
  PROOF,
  READING,
  SHELL,
  tests,
  both,
  without,
  type AttackClass,
} from './cells.ts';

/** What attacks by way of browsers, requests and what is said back. */
export const CLASSES_OF_PAGES: readonly AttackClass[] = [
  {
    name: 'secrets in URLs, logs, referrers, caches and the Back button',
    clauses: '14.2.1, 14.2.5, 14.3.2, 16.2.5',
    cells: [
      tests(
        HTTP,
        'leaks.test.ts: no page for anybody may be kept by a cache',
        'leaks.test.ts: no page is taken for a file by the end of its address',
        'leaks.test.ts: no form is sent by GET but the search',
        '../surface/secrets.test.ts: lies in the database, the log, an address or a page that is not there to show it',
        '../browser/comfort.test.ts: Back never shows what was left, and sends nothing again',
      ),
      tests(SHELL, '../cli/serve.test.ts: prints a one-time link on an empty database'),
    ],
  },
  {
    name: 'enumeration by text, status, time or mail',
    clauses: '6.3.8',
    cells: elsewhere(
      [
        tests(
          PASSWORD,
          '../surface/answers.test.ts: does not tell an unknown email from a wrong password',
          'oracles.test.ts: a refused password costs the same reads, writes and hashes through the page',
        ),
        tests([...CODES, ...CEREMONY], 'enumeration.test.ts: what comes before a right password says nothing of MFA'),
        tests(LINKS, 'enumeration.test.ts: every link that does not work looks alike'),
        tests(
          ['portal: forgotten password'],
          'mailed-links.test.ts: enumeration: asking for a new password looks alike for everybody',
          '../auth/new-password.test.ts: costs the same statements whoever that is (I20)',
        ),
        tests(
          ['portal: own account'],
          '../auth/change-email.test.ts: to an address that somebody else has is answered alike',
        ),
        tests(
          ['portal: own factors', 'portal: own sessions'],
          'own-factors.test.ts: of another’s app or session does nothing, and looks like that of one that is not there',
        ),
        tests(
          PASSKEY,
          '../surface/passkeys.test.ts: one that is not right says the same whatever was wrong',
          '../auth/passkeys.test.ts: is asked for by options that name nobody',
        ),
        tests(['portal: inside'], 'enumeration.test.ts: nobody’s session, an ended one and one of another door'),
        tests(
          without(CONSOLE, [
            ...both('sign-in', 'code', 'backup code', 'enable MFA'),
            'console: set-up link',
            'console: invitation link',
            'console: sign-out',
            'console: settings',
            ...PROOF,
          ]),
          'enumeration.test.ts: an account, a customer or a contact of another merchant is as little there',
        ),
      ],
      'nothing there depends on who exists',
    ),
  },
  {
    name: 'session fixation',
    clauses: '7.2.4',
    cells: elsewhere(
      [
        tests(
          [...PASSWORD, ...CODES, ...CEREMONY],
          'fixation.test.ts: at both doors nothing that stood in the cookie before becomes a session',
          'fixation.test.ts: a challenge that Eve has planted opens her account',
          'trusted-devices.test.ts: that Eve has planted is hers, and gives her nothing of whoever types',
        ),
        tests(
          ['portal: passkey'],
          'passkeys.test.ts: works in the browser alone that it was asked for',
          '../auth/passkeys.test.ts: proves again that she is there: the session is fresh, under a new token',
        ),
        tests(
          [...PROOF, 'console: settings', 'console: reset', 'console: team'],
          'fixation.test.ts: a token is new at the second door and at every fresh proof',
        ),
      ],
      'no session begins or rises there',
    ),
  },
  {
    name: 'a logout that only clears the cookie',
    clauses: '7.4.1',
    cells: elsewhere(
      [
        tests(
          both('sign-out', 'code', 'enable MFA', 'sign-in').concat(READING),
          'logout.test.ts: is none: session, challenge and ceremony are dead on the server',
        ),
        tests(['portal: own sessions'], 'own-factors.test.ts: ends what a stranger has begun there, and the stranger'),
        tests(
          ['portal: own passkeys', 'portal: own account'],
          'held-back.test.ts: adds no passkey of Eve’s, takes none away and asks for no other address',
        ),
        tests(['console: reset'], 'held-back.test.ts: resets nobody’s MFA: Ada has signed out in that browser'),
      ],
      'nothing there ends a session',
    ),
  },
  {
    name: 'open redirects',
    clauses: '1.2.2, 4.1.3',
    cells: [
      tests(
        HTTP,
        'redirects.test.ts: no answer of any route leads out of the house',
        '../surface/browser.test.ts: never leads out of the house, whatever the address asks for',
      ),
      none(SHELL, 'a command leads nowhere'),
    ],
  },
  {
    name: 'host-header poisoning of links',
    clauses: '4.1.3, 4.2.1',
    cells: [
      tests(
        HTTP,
        'host-header.test.ts: no link, redirect or page is made from Host',
        'mailed-links.test.ts: header injection and host header: a letter holds a token, its end and the address on file',
        'host-header.test.ts: two Hosts, an empty one and one with an account in it are no fault',
      ),
      none(
        SHELL,
        'links on the terminal are made from SALLYPORT_PUBLIC_URL alone; mailed ones likewise, when they are sent',
      ),
    ],
  },
  {
    name: 'clickjacking',
    clauses: '3.4.6, 3.4.3',
    cells: [
      tests(HTTP, 'clickjacking.test.ts: every page of every route, and every refusal, may stand in no frame'),
      none(SHELL, 'a terminal has no frames'),
    ],
  },
  {
    name: 'script or formula injection through names and user agents',
    clauses: '1.2.1, 1.2.10, 3.4.3',
    cells: [
      tests(
        without(HTTP, MACHINES),
        'injection.test.ts: runs nowhere: every page of both sides shows it as text',
        'injection.test.ts: that is typed comes back as text',
        'injection.test.ts: of a display name leaves the download of the codes a text file',
      ),
      none(MACHINES, 'they show no name; there is no export to a spreadsheet yet'),
      none(SHELL, 'tables of the terminal are plain text, without control characters: log injection'),
    ],
  },
  {
    name: 'log injection',
    clauses: '16.4.1, 16.2.4',
    cells: [
      tests(HTTP, 'log-injection.test.ts: whatever is sent, the log is one line of JSON an event'),
      tests(SHELL, 'log-injection.test.ts: is none in the audit log: a note has no control characters'),
    ],
  },
  {
    name: 'header injection in mail',
    clauses: '1.3.11',
    cells: elsewhere(
      [
        tests(
          ['portal: forgotten password', 'portal: own account'],
          'mailed-links.test.ts: header injection and host header: a letter holds a token, its end and the address on file',
        ),
      ],
      'nobody there says where a letter goes or what it is called',
    ),
  },
  {
    name: 'type confusion, full-width digits, NUL, overlong input and prototype pollution',
    clauses: '1.5.2, 2.2.1, 15.3.6',
    cells: [
      tests(
        without(FORMS, PROOF),
        'strange-input.test.ts: type confusion: no field may be a list',
        'strange-input.test.ts: prototype pollution: no name of the language is a field',
        'strange-input.test.ts: overlong input: every field filled to the brim',
        'strange-input.test.ts: charset tricks',
        '../surface/codes.test.ts: that has no code’s shape is told so at sign-in, and costs nothing',
      ),
      tests(PROOF, '../surface/codes.test.ts: that has no code’s shape is told so where staff confirm who they are'),
      tests(
        [...READING, ...MACHINES],
        '../surface/forms.test.ts: is answered as not found or not signed in, and never as a fault',
      ),
      tests(SHELL, '../cli/serve.test.ts: says everything that is wrong with the environment at once'),
    ],
  },
  {
    name: 'slow regular expressions',
    clauses: '1.3.12',
    cells: [
      tests(HTTP, 'slow-patterns.test.ts: no parser’s work grows with the square of what a stranger sends'),
      none(SHELL, 'the operator wears out nobody but himself'),
    ],
  },
  {
    name: 'huge bodies and slow bodies',
    clauses: '4.2.1, 15.2.2',
    cells: [
      tests(
        FORMS,
        'bodies.test.ts: huge bodies: every form refuses more than 16 KiB',
        'bodies.test.ts: bodies that two servers would read differently are refused',
        'bodies.test.ts: slow bodies: a request that stops half way holds no hash',
      ),
      none([...READING, ...MACHINES], 'no body is read there; what a header may hold is Node’s, 16 KiB'),
      none(SHELL, 'standard input is the operator’s'),
    ],
  },
  {
    name: 'hash exhaustion by parallel sign-ins',
    clauses: '6.3.1, 15.2.2',
    cells: elsewhere(
      [
        tests(
          [...PASSWORD, ...PROOF],
          'hash-exhaustion.test.ts: hundred at once cost no more hashes than there is room for',
        ),
        tests(
          [...LINKS, ...both('backup code')],
          'hash-exhaustion.test.ts: no hash is computed for what cannot be right',
        ),
        tests(CEREMONY, '../races/enrolment.test.ts: Generate Backup Codes, pressed 16 times, makes one set of five'),
      ],
      'no slow hash is computed there',
    ),
  },
  {
    name: 'mail bombing',
    clauses: '6.3.1',
    cells: elsewhere(
      [
        tests(
          ['portal: forgotten password'],
          '../auth/new-password.test.ts: fills no mailbox: one letter a minute, two in half an hour',
          '../auth/new-password.test.ts: is asked for ten times an hour from one address',
        ),
        tests(
          ['portal: own account'],
          '../auth/change-email.test.ts: fills no stranger’s mailbox',
          '../auth/not-me.test.ts: over and over is no way to new guesses at the code',
        ),
      ],
      'what is told of an account is told to its own address, an hour with room for so many (test/mail/sender.test.ts)',
    ),
  },
  {
    name: 'time and size oracles',
    clauses: '6.3.8, 11.2.4',
    cells: elsewhere(
      [
        tests(PASSWORD, 'oracles.test.ts: a refused password costs the same reads, writes and hashes through the page'),
        tests(
          both('code'),
          'oracles.test.ts: a wrong code costs the same wherever it is wrong, and its page is as long',
        ),
        tests(both('backup code'), '../auth/factors/backup-codes.test.ts: is hashed before the transaction'),
      ],
      'nothing there compares a secret but by the hash of 256 random bits; bench/timing.ts measures the doors',
    ),
  },
  {
    name: 'downgrade by clock',
    clauses: '6.5.8, RFC 6238 §5.2',
    cells: [none([...HTTP, ...SHELL], 'the clock’s high-water mark has its own tests: test/auth/clock.test.ts')],
  },
  {
    name: 'a test switch left in production',
    clauses: '6.3.2, 13.4.2',
    cells: [
      tests(
        [...HTTP, ...SHELL],
        'test-switch.test.ts: no variable opens the demo’s pages, fixes a code or the clock, or makes a hash cheaper',
        '../browser/demo.test.ts: main.ts is the only file that can load what the demo hands in',
      ),
    ],
  },
];
