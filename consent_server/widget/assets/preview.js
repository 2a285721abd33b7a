// Loaded before archived widget code, so that a banner that is only looked at asks and tells nobody anything.
// The frame's own policy forbids every connection too; this keeps the code from meeting that as an error.
"use strict";
window.fetch = () => new Promise(() => {});
window.XMLHttpRequest.prototype.send = () => {};
navigator.sendBeacon = () => false;
