-- +goose Up
-- Pairs of families that people said have not one cause (a cannot-link); ended_ms 0 = it holds.
CREATE TABLE crash_apart (
  id       text   NOT NULL PRIMARY KEY,
  one      text   NOT NULL,
  other    text   NOT NULL,
  note     text   NOT NULL,
  actor    text   NOT NULL,
  at_ms    bigint NOT NULL,
  ended_ms bigint NOT NULL,
  ended_by text   NOT NULL
);
CREATE INDEX crash_apart_one ON crash_apart (one);
CREATE INDEX crash_apart_other ON crash_apart (other);
