-- +goose Up
CREATE TABLE job_run (
  name     text   NOT NULL PRIMARY KEY,
  began_ms bigint NOT NULL,
  took_ms  bigint NOT NULL,
  outcome  text   NOT NULL,
  note     text   NOT NULL,
  failures bigint NOT NULL,
  next_ms  bigint NOT NULL,
  holder   text   NOT NULL
);
