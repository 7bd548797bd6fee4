-- +goose Up
-- What the machine says of families; made anew by a job, so it may be lost.
CREATE TABLE crash_rated (
  family         text   NOT NULL PRIMARY KEY,
  representative text   NOT NULL,
  label          text   NOT NULL,
  diagnosis      text   NOT NULL,
  words          text   NOT NULL,
  score          bigint NOT NULL,
  band           text   NOT NULL,
  priority       text   NOT NULL,
  at_ms          bigint NOT NULL
);
