// The shop's own code. It calls the consent widget as any site would, and never asks a vendor itself.
const find = (selector) => document.querySelector(selector);

const basket = () => Number(/(?:^|; )cart=(\d+)/.exec(document.cookie)?.[1] ?? 0);

function show(count) {
  find("[data-basket]").textContent = String(count);
}

function add() {
  const count = basket() + 1;
  // The site's own cookie, needed for the service that was asked for: a withdrawal leaves it alone.
  document.cookie = `cart=${count};Path=/;SameSite=Lax;Max-Age=604800`;
  show(count);
}

function say(...content) {
  find("[data-said]").replaceChildren(...content);
}

function link(href, text) {
  return Object.assign(document.createElement("a"), { href, textContent: text });
}

find("[data-add]")?.addEventListener("click", () => {
  add();
  say("In your basket, kept by the shop’s own cookie “cart”.");
});

find("[data-buy]")?.addEventListener("click", ({ currentTarget: { dataset } }) => {
  const order = `D-${Date.now().toString(36).toUpperCase()}`;
  // Safe at any time: held before a choice, dropped after a refusal, sent after a grant.
  window.consentWidget?.conversion("purchase", {
    value: Number(dataset.value), currency: dataset.currency, transaction_id: order,
  });
  document.dispatchEvent(new CustomEvent("shop:conversion", { detail: "purchase" }));
  say(`Order ${order} is in. `, link("/thanks", "See what comes next"));
});

find("[data-signup]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  say("Thank you. No letter will come: this is a demonstration.");
});

find(`[data-nav="${document.body.dataset.path}"]`)?.setAttribute("aria-current", "page");
show(basket());
