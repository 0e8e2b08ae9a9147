-- Asking for help when everything is lost: one row a request. What was written in it is a stranger's word until staff have
-- checked it; whom to call stands in the account. cancel_hash is the SHA-256 of the token in the mailed link.
CREATE TABLE recovery_requests (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  why TEXT NOT NULL CHECK (why IN ('lost-phone', 'deleted-app', 'codes-fail', 'other')),
  story TEXT NOT NULL,
  phone TEXT NOT NULL,
  address TEXT NOT NULL,
  network TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  cancel_hash TEXT NOT NULL UNIQUE,
  cancel_until BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  wait_ends_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'approved', 'refused', 'cancelled', 'expired')),
  ended_at BIGINT,
  ended_by TEXT,
  reason TEXT,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
  CHECK ((state = 'open') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX recovery_requests_one_open ON recovery_requests (organization_id, account_id) WHERE state = 'open';
CREATE INDEX recovery_requests_queue ON recovery_requests (organization_id, id) WHERE state = 'open';
CREATE INDEX recovery_requests_by_account ON recovery_requests (organization_id, account_id, id);
CREATE INDEX recovery_requests_by_network ON recovery_requests (organization_id, network, created_at);
CREATE INDEX recovery_requests_open_expiry ON recovery_requests (expires_at) WHERE state = 'open';
CREATE INDEX recovery_requests_by_age ON recovery_requests (created_at);

-- Until when nobody resets the account without a working code, whatever becomes of the request: set by asking, NULL again
-- as soon as a second factor has worked.
ALTER TABLE accounts ADD COLUMN help_wait_until BIGINT;

-- One-time codes that staff read out. hash is the sealed argon2id hash, like that of a backup code.
CREATE TABLE sign_in_codes (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  salt TEXT NOT NULL,
  hash TEXT NOT NULL,
  made_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT,
  used_at BIGINT,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
  CHECK (used_at IS NULL OR ended_at IS NOT NULL)
);
CREATE UNIQUE INDEX sign_in_codes_one_live ON sign_in_codes (organization_id, account_id) WHERE ended_at IS NULL;
CREATE INDEX sign_in_codes_by_account ON sign_in_codes (organization_id, account_id);
CREATE INDEX sign_in_codes_by_expiry ON sign_in_codes (expires_at);
