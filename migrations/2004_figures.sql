-- What the overview shows, added up by day: reading it costs the same however many contacts an organization has. One
-- process at a time adds to it from the chain of the audit log; no request does, since a row that all sign-ins of an
-- organization share would make them wait for each other.

-- day is a date of the organization's own time zone, YYYY-MM-DD; subject what a figure is kept apart by: a factor, an agent.
CREATE TABLE daily_figures (
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  name TEXT NOT NULL,
  day TEXT NOT NULL,
  subject TEXT NOT NULL DEFAULT '',
  value BIGINT NOT NULL,
  PRIMARY KEY (organization_id, name, day, subject)
);

-- Up to which link of the chain the log is in the figures; moved in the transaction that adds them. And when it was last
-- counted where the contacts stand.
CREATE TABLE figure_cursors (
  organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
  sequence BIGINT NOT NULL DEFAULT 0,
  counted_at BIGINT
);
