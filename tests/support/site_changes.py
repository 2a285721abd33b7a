"""Changes of the shop's site file: those that visitors see, those that they do not see, and who is asked again."""

from tests.support.factories import ADS, ANALYTICS, META, TABLES, TOP, VENDORS, site_file

SEEN = {
    "name": site_file(TOP.replace("Example Shop", "Other Shop")),
    "languages": site_file(TOP.replace('["en", "fr"]', '["en"]')),
    "order of languages": site_file(TOP.replace('["en", "fr"]', '["fr", "en"]')),
    "mode": site_file(f'{TOP}mode = "advanced"\n'),
    "choice_days": site_file(f"{TOP}choice_days = 90\n"),
    "controller.name": site_file(tables=TABLES.replace("Example Shop Ltd", "Other Ltd")),
    "controller.address": site_file(tables=TABLES.replace("1 Main", "2 Main")),
    "controller.contact": site_file(tables=TABLES.replace("privacy@", "dpo@")),
    "dpo": site_file(tables=f'{TABLES}[dpo]\nname = "D"\ncontact = "d@d.example"\n'),
    "authority": site_file(tables=f'{TABLES}[authority]\nname = "A"\nurl = "https://a.example"\n'),
    "policy.url": site_file(tables=TABLES.replace("/cookies", "/biscuits")),
    "policy.version": site_file(tables=TABLES.replace("2026-03-01", "2026-04-01")),
    "banner.layout": site_file(f'{TOP}[banner]\nlayout = "box"\n'),
    "banner.colours": site_file(f'{TOP}[banner.colours]\naccent = "#008000"\n'),
    "banner.colours.dark": site_file(f'{TOP}[banner.colours.dark]\naccent = "#80ff80"\n'),
    "banner.corner": site_file(f'{TOP}[banner]\ncorner = "end"\n'),
    "banner.scheme": site_file(f'{TOP}[banner]\nscheme = "light"\n'),
    "banner.font": site_file(f'{TOP}[banner]\nfont = "page"\n'),
    "banner.radius": site_file(f"{TOP}[banner]\nradius = 0\n"),
    "banner.logo": site_file(f'{TOP}[banner.logo]\nurl = "https://shop.example/logo.svg"\nalt = ""\n'),
    "texts": site_file(f'{TOP}[texts.fr]\ntitle = "Vos cookies"\n'),
    "vendor less": site_file(vendors=ANALYTICS + ADS),
    "vendors in another order": site_file(vendors=META + ANALYTICS + ADS),
    "vendor.purposes": site_file(vendors=f'{ANALYTICS}purposes = ["functional"]\n{ADS}{META}'),
    "vendor.declared": site_file(vendors=f'{ANALYTICS}declared = {{ name = "G", address = "A" }}\n{ADS}{META}'),
    "vendor.cookies": site_file(
        vendors=f'{VENDORS}[[vendors.cookies]]\nname = "_more"\nstorage = "local"\nexpiry = "none"\npurpose = "test"\n'
    ),
    "recipients": site_file(
        vendors=f'{VENDORS}[[recipients]]\nname = "P"\nkind = "payment"\n'
        '[recipients.operator]\nname = "P"\naddress = "A"\ncountry = "IE"\n'
    ),
    "purposes": site_file(
        vendors='[purposes.measuring]\nsignals = ["analytics_storage"]\n'
        + "".join(f'[purposes.measuring.texts.{x}]\ntitle = "M"\nphrase = "m"\ntext = "t"\n' for x in ("en", "fr"))
        + f'{ANALYTICS}purposes = ["measuring"]\n{ADS}{META}'
    ),
}
UNSEEN = {
    "origins": site_file(TOP.replace("https://shop.example", "https://www.shop.example")),
    "default_language": site_file(f'{TOP}default_language = "fr"\n'),
    "proof_retention": site_file(f'{TOP}proof_retention = "P2Y"\n'),
    "id": site_file(vendors=VENDORS.replace("G-ABCD123456", "G-OTHER12345")),
    "conversions": site_file(vendors=VENDORS.replace("signup", "order")),
}
# Whoever granted is asked again: the consent rests on something else.
ASKED_AGAIN = {"controller.name", "vendor less", "vendor.purposes", "purposes"}
