CREATE FUNCTION notices_keep_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'notices are kept as they are'; END $$
CREATE TRIGGER notices_keep_update BEFORE UPDATE ON notices FOR EACH ROW EXECUTE FUNCTION notices_keep_update()
CREATE FUNCTION notices_keep_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN OLD; END IF; END IF; RAISE EXCEPTION 'notices are kept as they are'; END $$
CREATE TRIGGER notices_keep_delete BEFORE DELETE ON notices FOR EACH ROW EXECUTE FUNCTION notices_keep_delete()
CREATE FUNCTION publications_keep_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'publications are kept as they are'; END $$
CREATE TRIGGER publications_keep_update BEFORE UPDATE ON publications FOR EACH ROW EXECUTE FUNCTION publications_keep_update()
CREATE FUNCTION publications_keep_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN OLD; END IF; END IF; RAISE EXCEPTION 'publications are kept as they are'; END $$
CREATE TRIGGER publications_keep_delete BEFORE DELETE ON publications FOR EACH ROW EXECUTE FUNCTION publications_keep_delete()
CREATE FUNCTION widgets_keep_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'widgets are kept as they are'; END $$
CREATE TRIGGER widgets_keep_update BEFORE UPDATE ON widgets FOR EACH ROW EXECUTE FUNCTION widgets_keep_update()
CREATE FUNCTION widgets_keep_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN OLD; END IF; END IF; RAISE EXCEPTION 'widgets are kept as they are'; END $$
CREATE TRIGGER widgets_keep_delete BEFORE DELETE ON widgets FOR EACH ROW EXECUTE FUNCTION widgets_keep_delete()
CREATE FUNCTION leaves_keep_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'leaves are kept as they are'; END $$
CREATE TRIGGER leaves_keep_update BEFORE UPDATE ON leaves FOR EACH ROW EXECUTE FUNCTION leaves_keep_update()
CREATE FUNCTION leaves_keep_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN OLD; END IF; END IF; RAISE EXCEPTION 'leaves are kept as they are'; END $$
CREATE TRIGGER leaves_keep_delete BEFORE DELETE ON leaves FOR EACH ROW EXECUTE FUNCTION leaves_keep_delete()
CREATE FUNCTION checkpoints_keep_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'checkpoints are kept as they are'; END $$
CREATE TRIGGER checkpoints_keep_update BEFORE UPDATE ON checkpoints FOR EACH ROW EXECUTE FUNCTION checkpoints_keep_update()
CREATE FUNCTION checkpoints_keep_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN OLD; END IF; END IF; RAISE EXCEPTION 'checkpoints are kept as they are'; END $$
CREATE TRIGGER checkpoints_keep_delete BEFORE DELETE ON checkpoints FOR EACH ROW EXECUTE FUNCTION checkpoints_keep_delete()
CREATE FUNCTION removals_keep_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'removals are kept as they are'; END $$
CREATE TRIGGER removals_keep_update BEFORE UPDATE ON removals FOR EACH ROW EXECUTE FUNCTION removals_keep_update()
CREATE FUNCTION removals_keep_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN OLD; END IF; END IF; RAISE EXCEPTION 'removals are kept as they are'; END $$
CREATE TRIGGER removals_keep_delete BEFORE DELETE ON removals FOR EACH ROW EXECUTE FUNCTION removals_keep_delete()
CREATE FUNCTION removed_keep_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'removed are kept as they are'; END $$
CREATE TRIGGER removed_keep_update BEFORE UPDATE ON removed FOR EACH ROW EXECUTE FUNCTION removed_keep_update()
CREATE FUNCTION removed_keep_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN OLD; END IF; END IF; RAISE EXCEPTION 'removed are kept as they are'; END $$
CREATE TRIGGER removed_keep_delete BEFORE DELETE ON removed FOR EACH ROW EXECUTE FUNCTION removed_keep_delete()
CREATE FUNCTION decisions_keep_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'decisions are kept as they are'; END $$
CREATE TRIGGER decisions_keep_update BEFORE UPDATE ON decisions FOR EACH ROW EXECUTE FUNCTION decisions_keep_update()
CREATE FUNCTION decisions_keep_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF EXISTS (SELECT 1 FROM leaves WHERE leaves.decision_row = OLD.id AND leaves.leaf_index <= (SELECT removed.last FROM removed WHERE removed.site_id = leaves.site_id AND removed.first <= leaves.leaf_index ORDER BY removed.first DESC LIMIT 1)) THEN RETURN OLD; END IF; END IF; RAISE EXCEPTION 'decisions are kept as they are'; END $$
CREATE TRIGGER decisions_keep_delete BEFORE DELETE ON decisions FOR EACH ROW EXECUTE FUNCTION decisions_keep_delete()
CREATE FUNCTION tiles_keep_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF substring(NEW.hashes FROM 1 FOR length(OLD.hashes)) = OLD.hashes THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'tiles are kept as they are'; END $$
CREATE TRIGGER tiles_keep_update BEFORE UPDATE ON tiles FOR EACH ROW EXECUTE FUNCTION tiles_keep_update()
CREATE FUNCTION tiles_keep_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_LEVEL = 'ROW' THEN IF FALSE THEN RETURN OLD; END IF; END IF; RAISE EXCEPTION 'tiles are kept as they are'; END $$
CREATE TRIGGER tiles_keep_delete BEFORE DELETE ON tiles FOR EACH ROW EXECUTE FUNCTION tiles_keep_delete()
CREATE TRIGGER notices_keep_truncate BEFORE TRUNCATE ON notices FOR EACH STATEMENT EXECUTE FUNCTION notices_keep_delete()
CREATE TRIGGER publications_keep_truncate BEFORE TRUNCATE ON publications FOR EACH STATEMENT EXECUTE FUNCTION publications_keep_delete()
CREATE TRIGGER widgets_keep_truncate BEFORE TRUNCATE ON widgets FOR EACH STATEMENT EXECUTE FUNCTION widgets_keep_delete()
CREATE TRIGGER leaves_keep_truncate BEFORE TRUNCATE ON leaves FOR EACH STATEMENT EXECUTE FUNCTION leaves_keep_delete()
CREATE TRIGGER checkpoints_keep_truncate BEFORE TRUNCATE ON checkpoints FOR EACH STATEMENT EXECUTE FUNCTION checkpoints_keep_delete()
CREATE TRIGGER removals_keep_truncate BEFORE TRUNCATE ON removals FOR EACH STATEMENT EXECUTE FUNCTION removals_keep_delete()
CREATE TRIGGER removed_keep_truncate BEFORE TRUNCATE ON removed FOR EACH STATEMENT EXECUTE FUNCTION removed_keep_delete()
CREATE TRIGGER decisions_keep_truncate BEFORE TRUNCATE ON decisions FOR EACH STATEMENT EXECUTE FUNCTION decisions_keep_delete()
CREATE TRIGGER tiles_keep_truncate BEFORE TRUNCATE ON tiles FOR EACH STATEMENT EXECUTE FUNCTION tiles_keep_delete()
