"""What a vendor keeps beyond cookies: databases, caches and service workers are named, and gone after a withdrawal."""

from playwright.sync_api import expect

from .servers import Answer
from .shop import Shop
from .site_files import ORIGIN

# As a tag does it: the database stays open, which nobody can delete before the page is gone.
PAGE = """<main><h1>A page</h1></main>
<script type="text/plain" data-consent="heat-map">
document.cookie = "_heatmap=1;Path=/;Max-Age=999";
const opened = ["HEATMAP_DB", "HEATMAP_2"].map((name) => new Promise((done) => {
  const request = indexedDB.open(name);
  request.onsuccess = () => { (window.kept ??= []).push(request.result); done(); };
}));
Promise.all([
  ...opened, caches.open("heatmap-cache"), navigator.serviceWorker.register("/heatmap/worker.js"),
]).then(() => { window.ran = true; });
</script>
<script>
indexedDB.open("BASKET");
caches.open("offline");
navigator.serviceWorker.register("/offline/worker.js");
</script>"""
KEPT = """async () => [
  ...(await indexedDB.databases()).map(({ name }) => name), ...(await caches.keys()),
  ...(await navigator.serviceWorker.getRegistrations()).map(({ scope }) => new URL(scope).pathname),
].sort()"""
OWN = ["/offline/", "BASKET", "offline"]


def test_all_kinds_of_storage_are_named_and_deleted(shop: Shop) -> None:
    shop.site = "storage"
    for script in ("/heatmap/worker.js", "/offline/worker.js"):
        shop.pages.answers[script] = Answer("", kind="text/javascript")
    shop.serve(PAGE)
    shop.open()
    shop.accept_all()
    shop.page.wait_for_function("() => window.ran")
    held = sorted([*OWN, "/heatmap/", "HEATMAP_2", "HEATMAP_DB", "heatmap-cache"])
    shop.page.wait_for_function(f"async (held) => JSON.stringify(await ({KEPT})()) == JSON.stringify(held)", arg=held)
    shop.unfold_all()
    table = shop.page.locator("consent-widget").get_by_text("HEATMAP_*")
    expect(table).to_be_visible()
    for words in ("IndexedDB", "Cache storage", "Service worker"):
        expect(shop.page.locator("consent-widget dialog").get_by_text(words).first).to_be_visible()
    shop.leave(lambda: shop.button("withdraw").click())
    # The page that had the databases open is gone; the next one deletes what that one could not.
    shop.page.wait_for_function(f"async (own) => JSON.stringify(await ({KEPT})()) == JSON.stringify(own)", arg=OWN)
    assert shop.cookies() == {"eu-consent"}
    shop.page.wait_for_function("() => !localStorage.getItem('eu-consent-purge')")


def test_a_database_that_another_tab_has_open_is_deleted_once_it_is_closed(shop: Shop) -> None:
    shop.site = "storage"
    shop.serve()
    shop.open()
    shop.accept_all()
    # Pages of the site without the widget.
    for path in ("/holds", "/plain"):
        shop.serve(head="", path=path)
    other = shop.context.new_page()
    other.goto(f"{ORIGIN}/holds")
    other.evaluate(
        "() => new Promise((done) => { indexedDB.open('HEATMAP_DB').onsuccess = (e) => done(window.db = e); })"
    )
    shop.withdraw()
    shop.page.goto(f"{ORIGIN}/plain")
    assert shop.page.evaluate("localStorage.getItem('eu-consent-purge')") == "1"
    other.close()
    shop.open()
    shop.page.wait_for_function(
        "async () => !localStorage.getItem('eu-consent-purge') && !(await indexedDB.databases()).length"
    )
