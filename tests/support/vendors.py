"""Every vendor of the catalogue on one site, under made-up ids."""

IDS = {
    "google-analytics": "G-SHOP123456",
    "google-tag-manager": "GTM-SHOP12",
    "google-ads": "AW-123456789",
    "google-floodlight": "DC-1234567",
    "meta-pixel": "1234567890123456",
    "brevo": "abcdefghij0123456789abcd",
    "drift": "abc123def456",
    "sentry": "0123456789abcdef0123456789abcdef",
    "zendesk": "01234567-89ab-cdef-0123-456789abcdef",
    "microsoft-uet": "12345678",
    "microsoft-clarity": "abcde12345",
    "typeform": None,
    "livestorm": None,
    "youtube": None,
    "google-maps": None,
}

_MORE = {
    "google-ads": 'conversions = { signup = "AbC-D_efGhIjKlMnOp" }\n',
    "google-floodlight": 'conversions = { signup = "sales/signup+standard" }\n',
}

EVERY_VENDOR = "".join(
    f'[[vendors]]\nkey = "{key}"\n' + (f'id = "{own}"\n' if own else "") + _MORE.get(key, "")
    for key, own in IDS.items()
)
