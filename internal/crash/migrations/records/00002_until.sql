-- +goose Up
-- What an ignored family waits for, as JSON; '' = nothing.
ALTER TABLE crash_state ADD COLUMN until text NOT NULL DEFAULT '';
ALTER TABLE crash_change ADD COLUMN from_until text NOT NULL DEFAULT '';
ALTER TABLE crash_change ADD COLUMN to_until text NOT NULL DEFAULT '';
