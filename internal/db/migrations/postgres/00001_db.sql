-- +goose Up
CREATE TABLE db_lease (
  name     text   NOT NULL PRIMARY KEY,
  holder   text   NOT NULL,
  until_ms bigint NOT NULL
);

CREATE TABLE db_search (
  idx  text     NOT NULL,
  id   text     NOT NULL,
  body tsvector NOT NULL,
  PRIMARY KEY (idx, id)
);
CREATE INDEX db_search_body ON db_search USING gin (body);
