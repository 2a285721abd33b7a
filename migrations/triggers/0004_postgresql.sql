CREATE FUNCTION cosignatures_keep_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'cosignatures are kept as they are'; END $$
CREATE TRIGGER cosignatures_keep_update BEFORE UPDATE ON cosignatures FOR EACH ROW EXECUTE FUNCTION cosignatures_keep_update()
CREATE FUNCTION cosignatures_keep_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN OLD; END IF; END IF; RAISE EXCEPTION 'cosignatures are kept as they are'; END $$
CREATE TRIGGER cosignatures_keep_delete BEFORE DELETE ON cosignatures FOR EACH ROW EXECUTE FUNCTION cosignatures_keep_delete()
CREATE TRIGGER cosignatures_keep_truncate BEFORE TRUNCATE ON cosignatures FOR EACH STATEMENT EXECUTE FUNCTION cosignatures_keep_delete()
