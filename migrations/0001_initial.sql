-- One text for SQLite and PostgreSQL: ids are UUIDv7 as TEXT, times are BIGINT milliseconds since 1970, hashes and
-- ciphertext are base64url TEXT, and a nullable time stands where others keep a boolean, because it also says when.
-- Every key leads with the organization, so that no statement can reach into another one by an id alone.
-- CHECKs hold every value planned in the product's rules, because SQLite cannot widen them later.

CREATE TABLE organizations (
  id TEXT NOT NULL PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  policy TEXT NOT NULL DEFAULT 'off' CHECK (policy IN ('off', 'optional', 'required')),
  policy_changed_at BIGINT,
  contact_details TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  language TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE customers (
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  sort_key TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (organization_id, id)
);
CREATE INDEX customers_by_name ON customers (organization_id, sort_key, id);

-- The account row is the account's lock: every answer, enabling, reset and password change begins by updating it.
CREATE TABLE accounts (
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('contact', 'staff')),
  customer_id TEXT,
  is_primary_at BIGINT,
  role TEXT CHECK (role IN ('owner', 'admin', 'support', 'auditor')),
  name TEXT NOT NULL,
  sort_key TEXT NOT NULL,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL,
  phone TEXT,
  password TEXT,
  password_set_at BIGINT,
  epoch BIGINT NOT NULL DEFAULT 1,
  disabled_at BIGINT,
  last_sign_in_at BIGINT,
  reset_notice_at BIGINT,
  reset_told_at BIGINT,
  totp_wrong BIGINT NOT NULL DEFAULT 0 CHECK (totp_wrong >= 0),
  totp_wait_until BIGINT NOT NULL DEFAULT 0,
  backup_wrong BIGINT NOT NULL DEFAULT 0 CHECK (backup_wrong >= 0),
  backup_wait_until BIGINT NOT NULL DEFAULT 0,
  window_wrong BIGINT NOT NULL DEFAULT 0 CHECK (window_wrong >= 0),
  window_started_at BIGINT,
  suspected_at BIGINT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, customer_id) REFERENCES customers (organization_id, id),
  CHECK ((kind = 'contact' AND customer_id IS NOT NULL AND role IS NULL)
      OR (kind = 'staff' AND customer_id IS NULL AND role IS NOT NULL)),
  CHECK ((password IS NULL) = (password_set_at IS NULL))
);
CREATE UNIQUE INDEX accounts_by_email ON accounts (organization_id, kind, email_key);
CREATE INDEX accounts_by_customer ON accounts (organization_id, customer_id, id);
CREATE UNIQUE INDEX accounts_one_primary ON accounts (organization_id, customer_id) WHERE is_primary_at IS NOT NULL;

-- /admin/sign-in names no organization, so a staff address is unique in the whole installation.
CREATE TABLE staff_emails (
  email_key TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id)
);

-- A half-finished sign-in, enrolment or fresh proof. session_id is set for purpose 'manage' alone.
-- sealed_codes holds the set of backup codes between generating and Continue to Sign In, and is NULL ever after.
CREATE TABLE challenges (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  surface TEXT NOT NULL CHECK (surface IN ('portal', 'admin', 'api', 'oidc')),
  purpose TEXT NOT NULL CHECK (purpose IN ('sign-in', 'enrolment', 'backup-codes', 'manage', 'recovery')),
  token_hash TEXT NOT NULL UNIQUE,
  session_id TEXT,
  epoch BIGINT NOT NULL,
  attempts_left BIGINT NOT NULL CHECK (attempts_left >= 0),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  consumed_at BIGINT,
  sealed_codes TEXT,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
  CHECK ((purpose = 'manage') = (session_id IS NOT NULL)),
  CHECK (sealed_codes IS NULL OR (purpose = 'backup-codes' AND consumed_at IS NULL))
);
CREATE INDEX challenges_by_account ON challenges (organization_id, account_id, id);
CREATE INDEX challenges_by_expiry ON challenges (expires_at);

-- Pending: neither enabled nor revoked. Active: enabled, not revoked. A revoked row stays as history, without secret.
CREATE TABLE authenticators (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('totp', 'passkey')),
  challenge_id TEXT NOT NULL,
  secret TEXT,
  secret_version BIGINT NOT NULL DEFAULT 1,
  last_step BIGINT NOT NULL DEFAULT -1,
  tries_left BIGINT NOT NULL CHECK (tries_left >= 0),
  proven_step BIGINT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  enabled_at BIGINT,
  last_used_at BIGINT,
  revoked_at BIGINT,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
  FOREIGN KEY (organization_id, challenge_id) REFERENCES challenges (organization_id, id),
  CHECK (kind <> 'totp' OR (revoked_at IS NULL) = (secret IS NOT NULL)),
  CHECK (enabled_at IS NULL OR (proven_step IS NOT NULL AND last_step >= proven_step))
);
CREATE UNIQUE INDEX authenticators_one_pending ON authenticators (organization_id, account_id)
  WHERE enabled_at IS NULL AND revoked_at IS NULL;
CREATE INDEX authenticators_active ON authenticators (organization_id, account_id)
  WHERE enabled_at IS NOT NULL AND revoked_at IS NULL;
CREATE INDEX authenticators_pending_expiry ON authenticators (expires_at)
  WHERE enabled_at IS NULL AND revoked_at IS NULL;
CREATE INDEX authenticators_by_challenge ON authenticators (organization_id, challenge_id);

CREATE TABLE backup_code_sets (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  salt TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id)
);
CREATE UNIQUE INDEX backup_code_sets_one_active ON backup_code_sets (organization_id, account_id)
  WHERE revoked_at IS NULL;

CREATE TABLE backup_codes (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  set_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  used_at BIGINT,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, set_id) REFERENCES backup_code_sets (organization_id, id)
);
CREATE INDEX backup_codes_by_set ON backup_codes (organization_id, set_id);

CREATE TABLE sessions (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  surface TEXT NOT NULL CHECK (surface IN ('portal', 'admin')),
  token_hash TEXT NOT NULL UNIQUE,
  challenge_id TEXT,
  epoch BIGINT NOT NULL,
  factor TEXT NOT NULL CHECK (factor IN ('password', 'totp', 'backup-code', 'passkey', 'trusted-device')),
  signed_in_at BIGINT NOT NULL,
  proved_at BIGINT,
  last_used_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT,
  address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  PRIMARY KEY (organization_id, id),
  UNIQUE (organization_id, challenge_id),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
  FOREIGN KEY (organization_id, challenge_id) REFERENCES challenges (organization_id, id)
);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_open ON sessions (organization_id, account_id) WHERE ended_at IS NULL;

-- One-time links by which a contact without a password chooses the first one.
CREATE TABLE welcome_links (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  token_hash TEXT NOT NULL UNIQUE,
  epoch BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  spent_at BIGINT,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id)
);
CREATE INDEX welcome_links_by_account ON welcome_links (organization_id, account_id);

-- The link for the first owner; at most one, since each start on an ownerless database replaces it.
CREATE TABLE setup_links (
  id TEXT NOT NULL PRIMARY KEY CHECK (id = 'first-owner'),
  token_hash TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  spent_at BIGINT
);

-- How often something was tried by an address, for an address or by an agent, in a window that begins with the first.
-- Subjects are keyed hashes, so that unknown e-mail addresses leave nothing readable and cost the same statements.
CREATE TABLE counters (
  name TEXT NOT NULL,
  subject TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  spent BIGINT NOT NULL CHECK (spent >= 0),
  PRIMARY KEY (name, subject)
);
CREATE INDEX counters_by_start ON counters (started_at);

-- The addresses from which an account has signed in before: outsiders' tries slow those of others only.
CREATE TABLE known_addresses (
  organization_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  address TEXT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  PRIMARY KEY (organization_id, account_id, address),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id)
);

-- What the portal shows: the merchant's own invoices and subscriptions, read only.
CREATE TABLE documents (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('invoice', 'subscription', 'credit note', 'estimate', 'receipt', 'statement')),
  number TEXT NOT NULL,
  title TEXT NOT NULL,
  date TEXT NOT NULL,
  amount TEXT NOT NULL,
  currency TEXT NOT NULL,
  status TEXT NOT NULL,
  url TEXT,
  PRIMARY KEY (organization_id, id),
  UNIQUE (organization_id, number),
  FOREIGN KEY (organization_id, customer_id) REFERENCES customers (organization_id, id)
);
CREATE INDEX documents_by_customer ON documents (organization_id, customer_id, date, number);

-- What happened, each row with its own keyed MAC, written with the fact. Names live apart, so that a person can be
-- erased without touching a row; links are appended later, by one process at a time.
CREATE TABLE audit_rows (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  at BIGINT NOT NULL,
  actor_kind TEXT NOT NULL CHECK (actor_kind IN ('account', 'operator', 'system', 'api-key')),
  actor_id TEXT,
  action TEXT NOT NULL,
  target_id TEXT,
  address TEXT,
  result TEXT NOT NULL,
  reason TEXT,
  details TEXT NOT NULL,
  mac TEXT NOT NULL,
  PRIMARY KEY (organization_id, id)
);
CREATE INDEX audit_rows_by_target ON audit_rows (organization_id, target_id, id);

CREATE TABLE audit_names (
  organization_id TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (organization_id, subject_id)
);

CREATE TABLE audit_links (
  organization_id TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  row_id TEXT NOT NULL,
  link TEXT NOT NULL,
  PRIMARY KEY (organization_id, sequence),
  UNIQUE (organization_id, row_id),
  FOREIGN KEY (organization_id, row_id) REFERENCES audit_rows (organization_id, id)
);

-- Keys made once for this installation (name 'audit', 'counters'), sealed under the ring.
CREATE TABLE installation_keys (
  name TEXT NOT NULL PRIMARY KEY,
  sealed TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

-- Which keys of the ring have sealed anything: a key listed here may not go missing. proof is a known text sealed
-- with it, so that the right id over the wrong bytes is noticed at start and not at somebody's sign-in.
CREATE TABLE key_uses (
  key_id TEXT NOT NULL PRIMARY KEY,
  proof TEXT NOT NULL,
  first_used_at BIGINT NOT NULL
);
