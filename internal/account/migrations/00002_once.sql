-- +goose Up
-- Answers to requests that carried an idempotency key, for a day.
CREATE TABLE account_once (
  actor   text   NOT NULL,
  word    text   NOT NULL, -- SHA-256 of the key
  request text   NOT NULL, -- SHA-256 of method, path and body
  status  bigint NOT NULL, -- 0 = under way
  body    text   NOT NULL,
  kept    bigint NOT NULL, -- 0 = the body was too large or secret and is not kept
  created bigint NOT NULL,
  PRIMARY KEY (actor, word)
);
