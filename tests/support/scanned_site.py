"""Sites that treat an answer well or badly, and the vendors that they load, all on this machine."""

PIXEL = "https://connect.facebook.net/en_US/fbevents.js"
# What the vendor's script does at first: a cookie, an entry, and a hit.
PIXEL_SCRIPT = """
document.cookie = "_fbp=fb.1.1700000000.123456789;max-age=7776000;path=/";
new Image().src = "https://www.facebook.com/tr/?id=1&ev=PageView&dl=" + encodeURIComponent(location.href);
"""

BANNER = """
<div id="ask" role="dialog" style="position:fixed;bottom:0;left:0;right:0;padding:20px;background:#fff;display:none">
<p>We use cookies to measure and to advertise.</p>
<button id="yes">Accept all</button> <button id="no">Reject all</button></div>
<footer><a href="#" id="again">Cookie settings</a></footer>
"""
# A banner that does all well: each bad site has another word for one of its acts.
ACTS = {
    "before": "",
    "yes": "load()",
    "no": "",
    "back": 'document.cookie = "_fbp=;max-age=0;path=/"',
}
SCRIPT = """
const ask = document.getElementById("ask"), kept = () => localStorage.getItem("answer");
const load = () => document.head.append(Object.assign(document.createElement("script"), {src: "%(pixel)s"}));
const answer = (word, act) => {
  const had = kept();
  localStorage.setItem("answer", word);
  ask.style.display = "none";
  act();
  if (had === "yes" && word === "no") { (() => { %(back)s })(); location.reload(); }
};
document.getElementById("yes").onclick = () => answer("yes", () => { %(yes)s });
document.getElementById("no").onclick = () => answer("no", () => { %(no)s });
document.getElementById("again").onclick = (event) => { event.preventDefault(); ask.style.display = "block"; };
if (!kept()) { ask.style.display = "block"; %(before)s }
else if (kept() === "yes") { %(yes)s }
else { %(no)s }
"""


def site(title: str = "A shop", **acts: str) -> str:
    """A page with a banner of its own; `before`, `yes`, `no` and `back` are what it does then."""
    script = SCRIPT % {"pixel": PIXEL, **ACTS, **acts}
    links = '<a href="/second">Second</a> <a href="/hidden">Hidden</a> <a href="/file.pdf">File</a>'
    return (
        f"<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1>{links}{BANNER}<script>{script}</script>"
    )


CLEAN = site()
LOADS_BEFORE = site(before="load()")
IGNORES_REFUSAL = site(no="load()")
LEAVES_COOKIES = site(back="")
NO_BANNER = "<!doctype html><html lang=en><title>Plain</title><h1>Plain</h1>"
NO_BANNER_PIXEL = f"{NO_BANNER}<script src={PIXEL}></script>"
