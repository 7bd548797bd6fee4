-- +goose Up
-- How people want to be told. Whoever has no row has the defaults.
CREATE TABLE alert_preferences (
  account text   NOT NULL PRIMARY KEY,
  body    text   NOT NULL, -- JSON
  at_ms   bigint NOT NULL
);
-- Where publishers, teams and the ecosystem are told.
CREATE TABLE alert_channel (
  id         text   NOT NULL PRIMARY KEY,
  kind       text   NOT NULL, -- webhook, slack
  name       text   NOT NULL,
  publisher  text   NOT NULL, -- one of publisher and team, or neither: the ecosystem
  team       text   NOT NULL,
  url        bytea  NOT NULL, -- sealed: whoever has it may post
  host       text   NOT NULL, -- of the url, to be shown
  secret     bytea  NOT NULL, -- sealed
  old_secret bytea,           -- sealed; signs as well until old_ends_ms
  old_ends   bigint NOT NULL,
  kinds      text   NOT NULL, -- words with spaces between
  installs   bigint NOT NULL, -- at least so many
  unhandled  bigint NOT NULL, -- 1: only crashes that nobody caught
  state      text   NOT NULL, -- active, off (a person's word), disabled (ours)
  reason     text   NOT NULL,
  failures   bigint NOT NULL, -- permanent ones in a row
  version    bigint NOT NULL,
  created    bigint NOT NULL
);
-- Where the server stands with its looking.
CREATE TABLE alert_mark (
  name  text   NOT NULL PRIMARY KEY, -- started, mail, work
  value bigint NOT NULL
);
