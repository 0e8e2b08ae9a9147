-- Forms that wait until whoever sent them has proven again who they are. sealed is JSON: where the form goes, what was in
-- it, and what it is about, in words. Bound to the session that sent it; gone when it is taken up, or after ten minutes.
CREATE TABLE parked_forms (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  sealed TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
  FOREIGN KEY (organization_id, session_id) REFERENCES sessions (organization_id, id)
);
CREATE INDEX parked_forms_by_session ON parked_forms (organization_id, session_id, id);
CREATE INDEX parked_forms_by_account ON parked_forms (organization_id, account_id);
CREATE INDEX parked_forms_by_expiry ON parked_forms (expires_at);
