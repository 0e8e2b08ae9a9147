/** Every way in. Each route of the product belongs to exactly one; the command line has none. */
export const ENTRY_POINTS: Record<string, readonly string[]> = {
  'portal: sign-in': ['GET /portal/:slug/sign-in', 'POST /portal/:slug/sign-in', 'GET /portal/:slug/forgot-password'],
  'portal: code': ['GET /portal/:slug/verify', 'POST /portal/:slug/verify'],
  'portal: asking for help': [
    ...both('/portal/:slug/verify/ask-for-help'),
    'POST /portal/:slug/verify/ask-for-help/cancel',
    ...both('/portal/:slug/cancel-request/:token'),
  ],
  'portal: sign-in code': both('/portal/:slug/verify/sign-in-code'),
  'portal: backup code': [
    'GET /portal/:slug/verify/backup-code',
    'POST /portal/:slug/verify/backup-code',
    'GET /portal/:slug/backup-code-used',
  ],
  'portal: enable MFA': [...ceremony('/portal/:slug'), ...both('/portal/:slug/security/enable-mfa')],
  'portal: set up later': ['POST /portal/:slug/enable-mfa/later'],
  'portal: fresh proof': both('/portal/:slug/confirm'),
  'portal: confirming an enrolment': [
    ...both('/portal/:slug/enable-mfa/confirm'),
    'POST /portal/:slug/enable-mfa/confirm/send',
    ...both('/portal/:slug/confirm-enrolment/:token'),
  ],
  'portal: sign-out': ['POST /portal/:slug/sign-out'],
  'portal: welcome link': ['GET /portal/:slug/welcome/:token', 'POST /portal/:slug/welcome/:token'],
  'portal: forgotten password': ['POST /portal/:slug/forgot-password', 'GET /portal/:slug/forgot-password/sent'],
  'portal: mailed link': [
    ...both('/portal/:slug/new-password/:token'),
    ...both('/portal/:slug/confirm-email/:token'),
    ...both('/portal/:slug/not-me/:token'),
  ],
  'portal: own account': [
    ...both('/portal/:slug/security/password'),
    ...both('/portal/:slug/security/email'),
    ...both('/portal/:slug/security/not-me'),
  ],
  'portal: inside': [
    'GET /portal/:slug',
    'GET /portal/:slug/home',
    'GET /portal/:slug/security',
    'POST /portal/:slug/security/devices/:device/remove',
    'GET /portal/:slug/session',
  ],
  'portal: passkey': [
    'POST /portal/:slug/sign-in/passkey-options',
    'POST /portal/:slug/sign-in/passkey',
    ...both('/portal/:slug/verify/passkey'),
    'POST /portal/:slug/verify/passkey-options',
    'POST /portal/:slug/confirm/passkey',
    'POST /portal/:slug/confirm/passkey-options',
  ],
  'portal: own passkeys': [
    ...both('/portal/:slug/security/passkeys/add'),
    'POST /portal/:slug/security/passkeys/add/options',
    ...both('/portal/:slug/security/passkeys/:passkey/rename'),
    ...both('/portal/:slug/security/passkeys/:passkey/remove'),
  ],
  'console: sign-in': ['GET /admin/sign-in', 'POST /admin/sign-in', 'GET /admin/forgot-password'],
  'console: code': ['GET /admin/verify', 'POST /admin/verify', 'GET /admin/verify/ask-for-help'],
  'console: backup code': [
    'GET /admin/verify/backup-code',
    'POST /admin/verify/backup-code',
    'GET /admin/backup-code-used',
  ],
  'console: enable MFA': ceremony('/admin'),
  'console: sign-out': ['POST /admin/sign-out'],
  'console: invitation link': both('/admin/welcome/:token'),
  'console: set-up link': ['GET /setup/:token', 'POST /setup/:token'],
  'console: settings': [
    ...both('/admin/settings/customer-portal/general'),
    ...both('/admin/settings/customer-portal/branding'),
    ...both('/admin/settings/customer-portal/sign-in'),
  ],
  'console: reading': [
    'GET /admin',
    'GET /admin/overview/adoption.csv',
    'GET /admin/settings',
    'GET /admin/customers',
    'GET /admin/customers/:customer',
    'GET /admin/team',
  ],
  'console: preview of a policy': [
    'GET /admin/settings/customer-portal/general/preview',
    'GET /admin/settings/customer-portal/general/preview/export',
  ],
  'console: everybody at once': [
    ...both('/admin/settings/customer-portal/general/sign-everyone-out'),
    ...both('/admin/settings/customer-portal/general/reset-everybody'),
  ],
  'console: exemption': [
    ...both('/admin/customers/:customer/contacts/:contact/exempt'),
    'POST /admin/customers/:customer/contacts/:contact/exempt/end',
  ],
  'console: customers and contacts': [
    ...both('/admin/customers/new'),
    ...both('/admin/customers/:customer/edit'),
    ...both('/admin/customers/:customer/contacts/new'),
    ...both('/admin/customers/:customer/contacts/:contact/edit'),
    ...both('/admin/customers/:customer/contacts/:contact/move'),
    ...both('/admin/customers/:customer/contacts/:contact/delete'),
    ...both('/admin/customers/:customer/delete'),
    'POST /admin/customers/many',
    ...both('/admin/customers/many/:selection'),
  ],
  'console: reset': [
    ...both('/admin/customers/:customer/contacts/:contact/reset-mfa'),
    ...both('/admin/team/:member/reset-mfa'),
  ],
  'console: recovery requests': [
    'GET /admin/recovery',
    'GET /admin/recovery/:request',
    'POST /admin/recovery/:request/approve',
    'POST /admin/recovery/:request/refuse',
  ],
  'console: sign-in code': both('/admin/customers/:customer/contacts/:contact/sign-in-code'),
  'console: team': [
    ...both('/admin/team/invite'),
    ...both('/admin/team/:member/invitation-link'),
    ...both('/admin/team/:member/role'),
    ...both('/admin/team/:member/sign-out'),
    ...both('/admin/team/:member/remove'),
  ],
  'console: setup code': both('/admin/customers/:customer/contacts/:contact/setup-code'),
  'console: unlock': both('/admin/customers/:customer/contacts/:contact/unlock'),
  'console: portal access': [
    ...both('/admin/customers/:customer/contacts/:contact/disable'),
    'POST /admin/customers/:customer/contacts/:contact/enable',
    ...both('/admin/customers/:customer/contacts/:contact/sign-out'),
    'POST /admin/customers/:customer/contacts/:contact/sessions/:session/end',
    'POST /admin/customers/:customer/contacts/:contact/devices/:device/remove',
  ],
  'console: making welcome links': [
    ...both('/admin/customers/:customer/contacts/:contact/welcome-link'),
    'POST /admin/customers/:customer/contacts/:contact/invitation',
  ],
  'console: audit log': ['GET /admin/audit', 'POST /admin/audit/export'],
  'console: import and export': [
    ...both('/admin/customers/import'),
    'GET /admin/customers/import/template',
    ...both('/admin/customers/import/:import'),
    'POST /admin/customers/import/:import/columns',
    'GET /admin/customers/import/:import/errors',
    'POST /admin/customers/import/:import/discard',
    ...both('/admin/customers/export'),
    ...both('/admin/customers/import-documents'),
  ],
  'console: jobs': [
    'GET /admin/jobs',
    'GET /admin/jobs/:job',
    'GET /admin/jobs/:job/progress',
    'GET /admin/jobs/:job/file',
    'POST /admin/jobs/:job/stop',
    'POST /admin/jobs/:job/resume',
  ],
  'console: fresh proof': both('/admin/confirm'),
  'machine pages': [
    'GET /',
    'GET /.well-known/change-password',
    'GET /.well-known/passkey-endpoints',
    'GET /healthz',
    'GET /readyz',
    'GET /portal/:slug/theme.css',
    'GET /portal/:slug/logo',
  ],
  'command line': [],
};

function both(path: string): string[] {
  return [`GET ${path}`, `POST ${path}`];
}

function ceremony(base: string): string[] {
  const at = `${base}/enable-mfa`;
  return [
    ...both(at),
    `GET ${at}/scan`,
    `GET ${at}/qr.svg`,
    ...both(`${at}/verify`),
    ...both(`${at}/enable`),
    ...both(`${at}/backup-codes`),
    `POST ${at}/backup-codes/download`,
    `POST ${at}/done`,
  ];
}
