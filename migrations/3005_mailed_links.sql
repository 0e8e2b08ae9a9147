-- One-time links that are mailed. email is where a link was mailed to: the address on file at that moment, or, to be
-- confirmed, the one that is to be. A link carries the epoch that it was made in and is void with it, but for 'not-me':
-- that one has to outlive what a thief changes.
CREATE TABLE mailed_links (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  purpose TEXT NOT NULL CHECK (purpose IN ('new-password', 'confirm-email', 'not-me')),
  email TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  spent_at BIGINT,
  PRIMARY KEY (organization_id, id),
  UNIQUE (organization_id, token_hash),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id)
);
CREATE INDEX mailed_links_by_account ON mailed_links (organization_id, account_id, purpose, id);
CREATE INDEX mailed_links_by_expiry ON mailed_links (expires_at);
