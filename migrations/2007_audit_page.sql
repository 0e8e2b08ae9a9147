-- What the page of the audit log asks for, each in the order of the ids, which is the order of time.
CREATE INDEX audit_rows_by_actor ON audit_rows (organization_id, actor_id, id);
CREATE INDEX audit_rows_by_action ON audit_rows (organization_id, action, id);
CREATE INDEX audit_rows_by_address ON audit_rows (organization_id, address, id);

-- How far the servers have looked the chain of an organization through, and what they found. `sequence` and `link` are
-- the last link that was looked at; a pass is the daily look from the beginning, NULL while none is under way. `found` is a
-- list of ranges as JSON. `mac` is over the other columns, under the key of the audit log.
CREATE TABLE audit_checks (
  organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
  checked_at BIGINT,
  sequence BIGINT NOT NULL,
  link TEXT NOT NULL,
  passed_at BIGINT NOT NULL,
  pass_sequence BIGINT,
  pass_link TEXT,
  pass_found TEXT NOT NULL,
  found TEXT NOT NULL,
  mac TEXT NOT NULL
);
