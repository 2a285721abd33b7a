"""Other banners as a site would embed them, each with the same three services; bench/widget.py measures them.

Their packages come from npm at these versions, unpacked without what they were built with. Files are served as they
are shipped, compressed with Brotli like ours.
"""

import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Peer:
    """A package, the markup that a site puts into its head, and where its two answers are (CSS)."""

    name: str
    package: str
    head: str
    accept: str
    refuse: str


_VANILLA = """
CookieConsent.run({
  hideFromBots: false,
  categories: {necessary: {enabled: true, readOnly: true}, analytics: {}, ads: {}, pixel: {}},
  language: {default: "en", translations: {en: {
    consentModal: {title: "Your choice about cookies",
      description: "We and 3 third parties use cookies for audience measurement and advertising.",
      acceptAllBtn: "Accept all", acceptNecessaryBtn: "Reject all", showPreferencesBtn: "Manage",
      footer: '<a href="/privacy">Privacy policy</a>'},
    preferencesModal: {title: "Manage preferences", acceptAllBtn: "Accept all",
      acceptNecessaryBtn: "Reject all",
      savePreferencesBtn: "Save", sections: [
        {title: "Google Analytics", description: "Counts visits", linkedCategory: "analytics"},
        {title: "Google Ads", description: "Measures ads", linkedCategory: "ads"},
        {title: "Meta pixel", description: "Measures ads", linkedCategory: "pixel"}]}}}},
});
"""
_TARTEAUCITRON = """
tarteaucitron.init({privacyUrl: "/privacy", hashtag: "#tarteaucitron", cookieName: "tarteaucitron",
  orientation: "bottom",
  groupServices: false, showAlertSmall: false, cookieslist: false, closePopup: false, showIcon: true, adblocker: false,
  DenyAllCta: true, AcceptAllCta: true, highPrivacy: true, handleBrowserDNTRequest: false, removeCredit: true,
  moreInfoLink: true, useExternalCss: false,
  mandatory: true, mandatoryCta: true});
tarteaucitron.user.gtagUa = "G-ABCD123456";
tarteaucitron.user.googleadsId = "AW-123456789";
tarteaucitron.user.facebookpixelId = "1234567890123456";
(tarteaucitron.job = tarteaucitron.job || []).push("gtag", "googleads", "facebookpixel");
"""
_KLARO = """
var klaroConfig = {version: 1, lang: "en", acceptAll: true, translations: {en: {privacyPolicyUrl: "/privacy",
  purposes: {analytics: "Audience measurement", advertising: "Advertising"}}},
  services: [{name: "analytics", title: "Google Analytics", purposes: ["analytics"]},
    {name: "ads", title: "Google Ads", purposes: ["advertising"]},
    {name: "pixel", title: "Meta pixel", purposes: ["advertising"]}]};
"""
_OREJIME = """
window.orejimeConfig = {privacyPolicyUrl: "/privacy", purposes: [
  {id: "analytics", title: "Google Analytics", description: "Counts visits", cookies: ["_ga"]},
  {id: "ads", title: "Google Ads", description: "Measures ads", cookies: ["_gcl_au"]},
  {id: "pixel", title: "Meta pixel", description: "Measures ads", cookies: ["_fbp"]}]};
"""
_OSANO = """
addEventListener("load", () => window.cookieconsent.initialise({type: "opt-in",
  palette: {popup: {background: "#fff", text: "#222"}, button: {background: "#3b5bdb", text: "#fff"}},
  content: {message: "We use cookies.", allow: "Accept all", deny: "Reject all", href: "/privacy"}}));
"""
PEERS = [
    Peer(
        "orejime", "orejime@3.2.1",
        f'<link rel="stylesheet" href="/orejime/dist/orejime-standard.css"><script>{_OREJIME}</script>'
        '<script defer src="/orejime/dist/orejime-standard-en.js"></script>',
        ".orejime-Banner-saveButton", ".orejime-Banner-declineButton",
    ),
    Peer(
        "vanilla-cookieconsent", "vanilla-cookieconsent@3.1.0",
        '<link rel="stylesheet" href="/vanilla-cookieconsent/dist/cookieconsent.css">'
        '<script defer src="/vanilla-cookieconsent/dist/cookieconsent.umd.js"></script>'
        f'<script type="module">{_VANILLA}</script>',
        ".cm .cm__btn", ".cm .cm__btn:nth-of-type(2)",
    ),
    Peer(
        "klaro", "klaro@0.7.22",
        f'<script>{_KLARO}</script><script defer src="/klaro/dist/klaro.js"></script>',
        ".klaro .cm-btn-success", ".klaro .cn-decline",
    ),
    Peer(
        "tarteaucitron", "tarteaucitronjs@1.34.0",
        '<script>window.tarteaucitronForceLanguage = "en"</script>'
        f'<script src="/tarteaucitronjs/tarteaucitron.min.js"></script><script>{_TARTEAUCITRON}</script>',
        "#tarteaucitronPersonalize2", "#tarteaucitronAllDenied2",
    ),
    Peer(
        "osano cookieconsent", "cookieconsent@3.1.1",
        '<link rel="stylesheet" href="/cookieconsent/build/cookieconsent.min.css">'
        f'<script defer src="/cookieconsent/build/cookieconsent.min.js"></script><script>{_OSANO}</script>',
        ".cc-window .cc-allow", ".cc-window .cc-deny",
    ),
]  # fmt: skip


def fetch(folder: Path) -> None:
    """Unpack each package into `folder`/NAME."""
    packed = subprocess.run(
        ["npm", "pack", "--silent", *(peer.package for peer in PEERS)],
        cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for peer, file in zip(PEERS, packed.stdout.split(), strict=True):
        with tarfile.open(folder / file) as archive:
            archive.extractall(folder / "unpacked", filter="data")
        (folder / "unpacked" / "package").rename(folder / peer.package.partition("@")[0])
