-- What the page of the audit log asks for, each in the order of the ids, which is the order of time. `action` stands last
-- in the first, so that the resets of somebody who has done much else are found without reading the rest.
CREATE INDEX audit_rows_by_actor ON audit_rows (organization_id, actor_id, id, action);
CREATE INDEX audit_rows_by_action ON audit_rows (organization_id, action, id);
CREATE INDEX audit_rows_by_address ON audit_rows (organization_id, address, id);

-- How far the servers have looked the chain of an organization through, and what they found, as JSON; `mac` is over it,
-- under the key of the audit log.
CREATE TABLE audit_checks (
  organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
  state TEXT NOT NULL,
  mac TEXT NOT NULL
);
