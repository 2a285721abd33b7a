"""What a page that checks says of a receipt or a pack."""

from playwright.sync_api import Page, expect


def outcomes(page: Page, of: str = "[data-check]") -> dict[str, str]:
    """Step to how it went."""
    found: dict[str, str] = page.eval_on_selector_all(
        f"{of} [data-step]", "all => Object.fromEntries(all.map(({dataset}) => [dataset.step, dataset.outcome]))"
    )
    return found


def verdict(page: Page, outcome: str) -> None:
    """Wait for the last word."""
    expect(page.get_by_role("status")).to_have_attribute("data-outcome", outcome, timeout=20_000)
    expect(page.get_by_role("status")).not_to_have_text("")
