-- Passkeys of contacts, and the ceremonies in which one is made or used. Not rows of authenticators, whose CHECKs are
-- TOTP's (docs/decisions/0021). A removed one stays as history, without its key.
-- A credential id belongs to one account of the whole installation (WebAuthn §7.1), hence UNIQUE without the organization.
-- backup: 'none' where the credential can never leave its device (BE = 0), 'eligible' and 'done' where it can (BE = 1,
-- BS = 0 and 1); BS without BE cannot be written down.
CREATE TABLE passkeys (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  credential_id TEXT NOT NULL UNIQUE,
  public_key TEXT,
  sign_count BIGINT NOT NULL CHECK (sign_count >= 0),
  transports TEXT NOT NULL,
  backup TEXT NOT NULL CHECK (backup IN ('none', 'eligible', 'done')),
  uv_initialized_at BIGINT,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT,
  copied_at BIGINT,
  revoked_at BIGINT,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
  CHECK ((revoked_at IS NULL) = (public_key IS NOT NULL))
);
CREATE INDEX passkeys_by_account ON passkeys (organization_id, account_id, id);

-- One challenge of the server's, taken once, within five minutes. bound_to is the session's id (add, confirm), the
-- sign-in challenge's id (second-factor), or the SHA-256 of a cookie (sign-in, where nobody knows whose it will be).
CREATE TABLE passkey_ceremonies (
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  challenge TEXT NOT NULL,
  purpose TEXT NOT NULL CHECK (purpose IN ('add', 'second-factor', 'confirm', 'sign-in')),
  bound_to TEXT NOT NULL,
  account_id TEXT,
  epoch BIGINT,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (organization_id, challenge),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
  CHECK ((purpose = 'sign-in') = (account_id IS NULL)),
  CHECK ((account_id IS NULL) = (epoch IS NULL))
);
CREATE INDEX passkey_ceremonies_by_binding ON passkey_ceremonies (organization_id, bound_to, expires_at);
CREATE INDEX passkey_ceremonies_by_account ON passkey_ceremonies (organization_id, account_id);
CREATE INDEX passkey_ceremonies_by_expiry ON passkey_ceremonies (expires_at);
