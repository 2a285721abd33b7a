CREATE FUNCTION configurations_keep_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'configurations are kept as they are'; END $$
CREATE TRIGGER configurations_keep_update BEFORE UPDATE ON configurations FOR EACH ROW EXECUTE FUNCTION configurations_keep_update()
CREATE FUNCTION configurations_keep_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN OLD; END IF; END IF; RAISE EXCEPTION 'configurations are kept as they are'; END $$
CREATE TRIGGER configurations_keep_delete BEFORE DELETE ON configurations FOR EACH ROW EXECUTE FUNCTION configurations_keep_delete()
CREATE FUNCTION pictures_keep_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'pictures are kept as they are'; END $$
CREATE TRIGGER pictures_keep_update BEFORE UPDATE ON pictures FOR EACH ROW EXECUTE FUNCTION pictures_keep_update()
CREATE FUNCTION pictures_keep_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN OLD; END IF; END IF; RAISE EXCEPTION 'pictures are kept as they are'; END $$
CREATE TRIGGER pictures_keep_delete BEFORE DELETE ON pictures FOR EACH ROW EXECUTE FUNCTION pictures_keep_delete()
CREATE TRIGGER configurations_keep_truncate BEFORE TRUNCATE ON configurations FOR EACH STATEMENT EXECUTE FUNCTION configurations_keep_delete()
CREATE TRIGGER pictures_keep_truncate BEFORE TRUNCATE ON pictures FOR EACH STATEMENT EXECUTE FUNCTION pictures_keep_delete()
