-- The rows of the list by their words, for whoever types the beginning of one. row_id is a contact's id, or that of a
-- customer without contacts, hence no foreign key. A pair of files, because only SQLite keeps a table twice, once as rows
-- and once as the index of its primary key, unless told not to: at a million contacts that is half a gigabyte.
CREATE TABLE search_words (
  organization_id TEXT NOT NULL,
  word TEXT NOT NULL,
  row_id TEXT NOT NULL,
  PRIMARY KEY (organization_id, word, row_id)
) WITHOUT ROWID;
