/** Every way in. Each route of the product belongs to exactly one; the command line has none. */
export const ENTRY_POINTS: Record<string, readonly string[]> = {
  'portal: sign-in': ['GET /portal/:slug/sign-in', 'POST /portal/:slug/sign-in', 'GET /portal/:slug/forgot-password'],
  'portal: code': ['GET /portal/:slug/verify', 'POST /portal/:slug/verify', 'GET /portal/:slug/verify/ask-for-help'],
  'portal: backup code': [
    'GET /portal/:slug/verify/backup-code',
    'POST /portal/:slug/verify/backup-code',
    'GET /portal/:slug/backup-code-used',
  ],
  'portal: enable MFA': [...ceremony('/portal/:slug'), ...both('/portal/:slug/security/enable-mfa')],
  'portal: set up later': ['POST /portal/:slug/enable-mfa/later'],
  'portal: fresh proof': both('/portal/:slug/confirm'),
  'portal: sign-out': ['POST /portal/:slug/sign-out'],
  'portal: welcome link': ['GET /portal/:slug/welcome/:token', 'POST /portal/:slug/welcome/:token'],
  'portal: inside': [
    'GET /portal/:slug',
    'GET /portal/:slug/home',
    'GET /portal/:slug/security',
    'GET /portal/:slug/security/activity',
    'GET /portal/:slug/session',
  ],
  'portal: own factors': [
    ...both('/portal/:slug/security/authenticators/new'),
    'POST /portal/:slug/security/authenticators/:authenticator/replace',
    ...both('/portal/:slug/security/authenticators/:authenticator/rename'),
    ...both('/portal/:slug/security/authenticators/:authenticator/remove'),
    ...both('/portal/:slug/security/backup-codes'),
    ...both('/portal/:slug/security/turn-off-mfa'),
    'POST /portal/:slug/enable-mfa/cancel',
  ],
  'portal: own sessions': [
    'GET /portal/:slug/security/sessions',
    'POST /portal/:slug/security/sessions/end-others',
    'POST /portal/:slug/security/sessions/:session/end',
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
  'console: team': [
    ...both('/admin/team/invite'),
    ...both('/admin/team/:member/invitation-link'),
    ...both('/admin/team/:member/role'),
    ...both('/admin/team/:member/sign-out'),
    ...both('/admin/team/:member/remove'),
  ],
  'console: unlock': both('/admin/customers/:customer/contacts/:contact/unlock'),
  'console: portal access': [
    ...both('/admin/customers/:customer/contacts/:contact/disable'),
    'POST /admin/customers/:customer/contacts/:contact/enable',
    ...both('/admin/customers/:customer/contacts/:contact/sign-out'),
    'POST /admin/customers/:customer/contacts/:contact/sessions/:session/end',
  ],
  'console: making welcome links': both('/admin/customers/:customer/contacts/:contact/welcome-link'),
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
