-- Whether a session was started from a browser or a network that the account had not been seen with before.
ALTER TABLE sessions ADD COLUMN is_unfamiliar BIGINT NOT NULL DEFAULT 0 CHECK (is_unfamiliar IN (0, 1));
