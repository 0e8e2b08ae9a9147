-- Confirmed enrolment: when a proven authenticator was confirmed to be its owner's, and the link last mailed for that.
-- Both belong to this one pending row, and end with it.
ALTER TABLE authenticators ADD COLUMN confirmed_at BIGINT;
ALTER TABLE authenticators ADD COLUMN link_hash TEXT;
ALTER TABLE authenticators ADD COLUMN link_sent_at BIGINT;
CREATE UNIQUE INDEX authenticators_by_link ON authenticators (organization_id, link_hash) WHERE link_hash IS NOT NULL;

-- The code that staff hand over in place of the link: one an account, the newest. Used up, it is gone.
CREATE TABLE enrolment_codes (
  organization_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  tries_left BIGINT NOT NULL CHECK (tries_left >= 0),
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (organization_id, account_id),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id)
);
CREATE INDEX enrolment_codes_by_expiry ON enrolment_codes (expires_at);
