-- The latest moment that any server's clock has shown. It only rises, but for the operator's word; a server whose own
-- clock is behind it accepts no code of an app. One row, which the first server makes.
CREATE TABLE clock (
  id TEXT NOT NULL PRIMARY KEY CHECK (id = 'wall'),
  seen_at BIGINT NOT NULL
);

-- One row in a copy that `sallyport backup` has made, and in no other database: the first server that opens the copy
-- closes what it cannot know about the time since, and takes the row away.
CREATE TABLE backup_copy (
  id TEXT NOT NULL PRIMARY KEY CHECK (id = 'this'),
  taken_at BIGINT NOT NULL
);
