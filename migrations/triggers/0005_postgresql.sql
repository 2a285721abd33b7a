CREATE FUNCTION timestamps_keep_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'timestamps are kept as they are'; END $$
CREATE TRIGGER timestamps_keep_update BEFORE UPDATE ON timestamps FOR EACH ROW EXECUTE FUNCTION timestamps_keep_update()
CREATE FUNCTION timestamps_keep_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN OLD; END IF; END IF; RAISE EXCEPTION 'timestamps are kept as they are'; END $$
CREATE TRIGGER timestamps_keep_delete BEFORE DELETE ON timestamps FOR EACH ROW EXECUTE FUNCTION timestamps_keep_delete()
CREATE TRIGGER timestamps_keep_truncate BEFORE TRUNCATE ON timestamps FOR EACH STATEMENT EXECUTE FUNCTION timestamps_keep_delete()
