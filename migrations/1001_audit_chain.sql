-- The chain of the audit log: links in audit_links are appended by whoever holds the lease 'audit-chain'.

-- A work-list and no evidence: when the row was linked, NULL while it waits. Rows commit out of the order of their ids
-- and times, so "everything after the last linked one" would miss some; the partial index holds those that wait alone.
ALTER TABLE audit_rows ADD COLUMN linked_at BIGINT;
CREATE INDEX audit_rows_unlinked ON audit_rows (organization_id, id) WHERE linked_at IS NULL;

-- Which process does a piece of work that several could do. A lease saves work twice done and guards nothing.
CREATE TABLE leases (
  name TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
