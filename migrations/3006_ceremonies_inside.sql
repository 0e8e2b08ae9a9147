-- Authenticators are told apart by what their owner calls them; NULL is the usual name, in the language of the page.
ALTER TABLE authenticators ADD COLUMN name TEXT;
-- A ceremony that was begun inside, over factors that are there: what it is for, the session that it lives by, the
-- authenticator that it ends, and what the new one will be called. NULL for every other challenge.
ALTER TABLE challenges ADD COLUMN aim TEXT CHECK (aim IN ('another', 'replacement', 'new-codes'));
ALTER TABLE challenges ADD COLUMN begun_in TEXT;
ALTER TABLE challenges ADD COLUMN replaces TEXT;
ALTER TABLE challenges ADD COLUMN app_name TEXT;
CREATE INDEX challenges_begun_inside ON challenges (organization_id, begun_in) WHERE begun_in IS NOT NULL;
