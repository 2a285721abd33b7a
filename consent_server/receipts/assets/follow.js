"use strict";
// The visitor withdrew on another device. Where this page is of the site's own origin, the widget finds on its next
// page what it owes: to delete the third parties' cookies; and the link to the old receipt is kept no longer.
try {
  localStorage.setItem("eu-consent-purge", "1");
  localStorage.removeItem("eu-consent-receipt");
} catch {
  // Storage is blocked; then nothing was kept there.
}
