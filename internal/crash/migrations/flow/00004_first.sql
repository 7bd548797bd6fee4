-- +goose Up
-- New families are looked for every few seconds.
CREATE INDEX crash_family_first ON crash_family (first_ms, id);
