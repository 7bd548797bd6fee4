-- +goose Up
-- Who wants to be told when something changes about a report. No account, no name.
CREATE TABLE follow (
  id      text   NOT NULL PRIMARY KEY, -- random; what the links in mails name
  crash   text   NOT NULL,             -- the report
  family  text   NOT NULL,             -- it belonged to, when we looked last
  hash    text   NOT NULL,             -- its signature
  way     text   NOT NULL,             -- mail, push
  who     text   NOT NULL,             -- keyed hash of the address or endpoint
  sealed  bytea  NOT NULL,             -- the address or subscription itself
  state   text   NOT NULL,             -- asked, active, last (its last message is under way)
  told    text   NOT NULL,             -- what they know already, words with spaces between
  at_ms   bigint NOT NULL,
  ends_ms bigint NOT NULL,
  UNIQUE (crash, who)
);
CREATE INDEX follow_ends ON follow (ends_ms);
-- Mails that asked whether an address wants this, of the last day: nobody gets many.
CREATE TABLE follow_ask (
  who   text   NOT NULL,
  crash text   NOT NULL,
  at_ms bigint NOT NULL
);
CREATE INDEX follow_ask_at ON follow_ask (at_ms);
-- Addresses that want no such mail again, as keyed hashes.
CREATE TABLE follow_refused (
  who     text   NOT NULL PRIMARY KEY,
  ends_ms bigint NOT NULL
);
