-- Whether a session was started from a browser or a network that the account had not been seen with before.
ALTER TABLE sessions ADD COLUMN is_unfamiliar BIGINT NOT NULL DEFAULT 0 CHECK (is_unfamiliar IN (0, 1));
-- An organization's letters, for the page that says how they fare.
CREATE INDEX mails_of_organization ON mails (organization_id, due_at, id) WHERE done_at IS NULL;
CREATE INDEX mails_given_up ON mails (organization_id, done_at) WHERE outcome = 'given-up';
