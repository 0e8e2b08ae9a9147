-- The rows of the list by their words: see 2002_search_words.sqlite.sql.
CREATE TABLE search_words (
  organization_id TEXT NOT NULL,
  word TEXT NOT NULL,
  row_id TEXT NOT NULL,
  PRIMARY KEY (organization_id, word, row_id)
);
