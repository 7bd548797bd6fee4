-- +goose Up
CREATE TABLE db_lease (
  name     text   NOT NULL PRIMARY KEY,
  holder   text   NOT NULL,
  until_ms bigint NOT NULL
);

CREATE TABLE db_search (
  n   integer PRIMARY KEY,
  idx text NOT NULL,
  id  text NOT NULL,
  UNIQUE (idx, id)
);

-- Words arrive cut and in lower case, so the tokenizer only splits at spaces;
-- secure-delete keeps deleted words out of the index pages.
CREATE VIRTUAL TABLE db_search_text USING fts5(idx, body, tokenize = 'unicode61 remove_diacritics 0');
INSERT INTO db_search_text (db_search_text, rank) VALUES ('secure-delete', 1);
