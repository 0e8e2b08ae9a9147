-- Browsers of contacts that are not asked for the code for a while. The cookie's value has two halves: the first names
-- the device and stays, the second is another after every use. Both are kept as hashes alone; previous_hash is the second
-- half before the last use. Ends with the account's epoch, with "Sign everyone out", and by what the organization allows.
CREATE TABLE trusted_devices (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  series_hash TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  previous_hash TEXT,
  epoch BIGINT NOT NULL,
  session_epoch BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT,
  address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  PRIMARY KEY (organization_id, id),
  UNIQUE (organization_id, series_hash),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
  CHECK (expires_at > created_at),
  CHECK (previous_hash <> token_hash)
);
CREATE INDEX trusted_devices_by_account ON trusted_devices (organization_id, account_id);
CREATE INDEX trusted_devices_open ON trusted_devices (organization_id, session_epoch, created_at) WHERE revoked_at IS NULL;
CREATE INDEX trusted_devices_by_expiry ON trusted_devices (expires_at);
CREATE INDEX trusted_devices_by_end ON trusted_devices (revoked_at) WHERE revoked_at IS NOT NULL;
-- What was trusted up to then stays untrusted, whatever the organization allows again later.
ALTER TABLE organizations ADD COLUMN devices_from BIGINT NOT NULL DEFAULT 0;
