// The script of the stand-in for WP Consent API.
const cookieOf = (category) =>
  document.cookie.split("; ").find((pair) => pair.startsWith(`wp_consent_${category}=`))?.split("=")[1] ?? "";

window.wp_has_consent = (category) => !window.wp_consent_type || cookieOf(category) === "allow";

window.wp_set_consent = (category, value) => {
  const before = cookieOf(category);
  document.cookie = `wp_consent_${category}=${value};path=/;max-age=2592000`;
  if (before !== value)
    document.dispatchEvent(new CustomEvent("wp_listen_for_consent_change", { detail: { [category]: value } }));
};

window.heard = [];
document.addEventListener("wp_listen_for_consent_change", ({ detail }) => window.heard.push(detail));
