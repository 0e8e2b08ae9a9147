-- Mail: one row a letter, written in the transaction of the fact that it tells, sent afterwards and at least once.
-- sealed is JSON, the address and what the letter says; it is dropped when the letter is done with.
-- address_key is a keyed fingerprint of the address: letters to one address go out in the order of their ids.
CREATE TABLE mails (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  address_key TEXT NOT NULL,
  kind TEXT NOT NULL,
  sealed TEXT,
  created_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  last_answer TEXT,
  done_at BIGINT,
  outcome TEXT CHECK (outcome IN ('sent', 'given-up', 'in-digest')),
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
  CHECK ((done_at IS NULL) = (sealed IS NOT NULL)),
  CHECK ((done_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX mails_waiting ON mails (due_at, id) WHERE done_at IS NULL;
CREATE INDEX mails_in_line ON mails (address_key, id) WHERE done_at IS NULL;
CREATE INDEX mails_by_address ON mails (address_key, done_at) WHERE done_at IS NOT NULL;
CREATE INDEX mails_by_account ON mails (organization_id, account_id, id);
CREATE INDEX mails_by_end ON mails (done_at) WHERE done_at IS NOT NULL;
