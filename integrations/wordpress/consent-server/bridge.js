// The WP Consent API in the page. What the visitor chose in the banner is told to it; what changes there by an act of
// the visitor's (another plug-in's switch) becomes a decision with a receipt.
(function () {
  "use strict";
  var purposes = JSON.parse(window.consentServerBridge.purposes);
  var telling = false;
  var asked = null;

  window.wp_consent_type = "optin";
  document.dispatchEvent(new CustomEvent("wp_consent_type_defined"));

  function granted(decision, category) {
    var known = purposes[category].filter(function (purpose) { return purpose in decision.grants; });
    return known.length > 0 && known.every(function (purpose) { return decision.grants[purpose]; });
  }

  function tell(decision) {
    telling = true;
    try {
      if (decision) wp_set_consent("functional", "allow");
      Object.keys(purposes).forEach(function (category) {
        if (decision) wp_set_consent(category, granted(decision, category) ? "allow" : "deny");
        // Nobody has answered: what an earlier banner left behind is no consent. Otherwise nothing is stored yet.
        else if (wp_has_consent(category)) wp_set_consent(category, "deny");
      });
    } finally {
      telling = false;
    }
  }

  function decide() {
    var decision = window.consentWidget && window.consentWidget.decision;
    var changed = asked;
    asked = null;
    var before = (decision && decision.grants) || {};
    var grants = Object.assign({}, before);
    Object.keys(changed).forEach(function (category) {
      purposes[category].forEach(function (purpose) { grants[purpose] = changed[category]; });
    });
    var differs = Object.keys(grants).some(function (purpose) { return grants[purpose] !== (before[purpose] || false); });
    if (!window.consentWidget || !differs) return tell(decision);
    // A vendor that was denied by itself stays so; one that was granted by itself goes with a denial.
    var vendors = Object.assign({}, decision && decision.vendors);
    Object.keys(vendors).forEach(function (vendor) { if (vendors[vendor]) delete vendors[vendor]; });
    window.consentWidget.save({ grants: grants, vendors: vendors });
  }

  document.addEventListener("wp_listen_for_consent_change", function (event) {
    if (telling) return;
    var acting = !!navigator.userActivation && navigator.userActivation.isActive;
    Object.keys(event.detail).forEach(function (category) {
      if (!purposes[category]) return;
      // Several categories of one act are one decision.
      if (!asked) setTimeout(decide);
      asked = asked || {};
      // A denial always counts; consent is an act of the visitor's (GDPR, article 4(11)), never of a script's own.
      if (event.detail[category] === "deny") asked[category] = false;
      else if (acting) asked[category] = true;
    });
  });

  document.addEventListener("consent:change", function (event) { tell(event.detail); });
  if (window.consentWidget) window.consentWidget.on("ready", tell);
  else document.addEventListener("consent:ready", function (event) { tell(event.detail); });
})();
